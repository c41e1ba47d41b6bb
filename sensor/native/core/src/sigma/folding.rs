//! Folding: what "the same but for case" means, for rules and events alike (Unicode simple case folding, statuses C and S).
//!
//! One character stays one, so that `?` counts the same on both sides; `Σ σ ς` fold alike, accents stay. The table in
//! [`super::folding_table`] is generated, and the compiler holds the same one.

use super::folding_table::RUNS;

/// Folds one character.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    let run = RUNS.partition_point(|(_, last, _, _)| *last < code);
    match RUNS.get(run) {
        Some((first, _, step, delta)) if *first <= code && (code - first).is_multiple_of(*step) => {
            code.checked_add_signed(*delta).and_then(char::from_u32).unwrap_or(c)
        }
        _ => c,
    }
}

/// Appends the folded form of `text` to `out`. ASCII takes the fast path.
pub fn fold_into(text: &str, out: &mut String) {
    let from = out.len();
    if text.is_ascii() {
        out.push_str(text);
        out[from..].make_ascii_lowercase();
    } else {
        out.extend(text.chars().map(fold_char));
    }
}

/// The folded form of `text`.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greek_folds_by_character() {
        assert_eq!(fold("ΟΔΟΣ"), "οδοσ");
        assert_eq!(fold("οδος"), "οδοσ");
        assert_eq!(fold("ΟΔΟΣΤΡΩΜΑ"), "οδοστρωμα");
        assert_eq!(fold("\u{b5}\u{3d0}"), "\u{3bc}\u{3b2}");
        assert_eq!(fold("Ελλάδα"), "ελλάδα");
        assert_ne!(fold("Ελλάδα"), fold("ΕΛΛΑΔΑ"));
    }

    #[test]
    fn one_character_stays_one() {
        for c in ['ß', 'ẞ', 'ΐ', 'İ', 'ﬀ', 'ᾈ', 'K', 'ſ'] {
            assert_eq!(fold(&c.to_string()).chars().count(), 1, "{c}");
        }
        assert_eq!(fold_char('ẞ'), 'ß');
        assert_eq!(fold_char('ᾈ'), 'ᾀ');
        assert_eq!(fold_char('K'), 'k');
        assert_eq!(fold_char('İ'), 'İ');
    }

    #[test]
    fn the_table_agrees_with_an_independent_one() {
        // regex-syntax carries the equivalence classes of simple case folding of a newer Unicode.
        for c in ('\u{80}'..=char::MAX).filter(|c| fold_char(*c) != *c) {
            let folded = fold_char(c);
            assert_eq!(fold_char(folded), folded, "folding {c:?} twice differs");
            let mut class = regex_syntax::hir::ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().unwrap();
            assert!(
                class.iter().any(|r| r.start() <= folded && folded <= r.end()),
                "{c:?} -> {folded:?}"
            );
        }
        for c in ('\u{80}'..='\u{24ff}').filter(|c| fold_char(*c) == *c) {
            let mut class = regex_syntax::hir::ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().unwrap();
            // Newer scripts apart, a character that folds to itself is the one its whole class folds to.
            for other in class
                .iter()
                .flat_map(|r| r.start()..=r.end())
                .filter(|o| *o < '\u{1c80}')
            {
                assert_eq!(fold_char(other), c, "{other:?} and {c:?} are one class");
            }
        }
    }
}
