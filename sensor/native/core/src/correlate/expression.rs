//! Extended conditions of temporal correlations (`a and not b`), as alternatives: rules that must be there, rules that must
//! not (sigma.md 1.5).

use crate::sigma::model::Expression;

/// An expression that needs more alternatives is refused.
pub const MAX_PATHS: usize = 256;

/// One way to meet a condition. Sets of members, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Members of which each must have a hit.
    pub wanted: u64,
    /// Members of which none may have one.
    pub unwanted: u64,
}

impl Path {
    /// The path that wants the first `members` rules.
    pub fn all(members: usize) -> Self {
        Self {
            wanted: u64::MAX >> (64 - members.clamp(1, 64)),
            unwanted: 0,
        }
    }

    /// Whether a member must have a hit.
    pub fn wants(self, member: u16) -> bool {
        self.wanted & bit(member) != 0
    }

    /// How many steps of the path come before a member.
    pub fn before(self, member: u16) -> usize {
        (self.wanted & (bit(member) - 1)).count_ones() as usize
    }

    /// How many members must have a hit.
    pub fn len(self) -> usize {
        self.wanted.count_ones() as usize
    }

    /// Whether members that have hits are what the path asks for, its order apart.
    pub fn fits(self, present: u64) -> bool {
        present & self.wanted == self.wanted && present & self.unwanted == 0
    }
}

/// The bit of a member; there are at most 64.
pub fn bit(member: u16) -> u64 {
    1_u64.checked_shl(member.into()).unwrap_or(0)
}

/// The alternatives of an expression over `members` rules.
///
/// # Errors
/// A rule that is not listed; an expression that never holds, that silence alone would meet, or that has too many
/// alternatives.
pub fn paths(expression: &Expression, members: usize) -> Result<Vec<Path>, String> {
    let paths = alternatives(expression, false, members)?;
    if paths.is_empty() {
        return Err("its expression can never hold".to_owned());
    }
    if paths.iter().any(|path| path.wanted == 0) {
        return Err("its expression holds where nothing happened".to_owned());
    }
    Ok(paths)
}

fn alternatives(expression: &Expression, negated: bool, members: usize) -> Result<Vec<Path>, String> {
    match expression {
        Expression::Rule(member) => {
            if usize::from(*member) >= members {
                return Err(format!("its expression names rule {member} of {members}"));
            }
            let (wanted, unwanted) = if negated { (0, bit(*member)) } else { (bit(*member), 0) };
            Ok(vec![Path { wanted, unwanted }])
        }
        Expression::Not(inner) => alternatives(inner, !negated, members),
        Expression::And(parts) | Expression::Or(parts) => {
            let each = parts.iter().map(|part| alternatives(part, negated, members));
            if matches!(expression, Expression::And(_)) == negated {
                any(each)
            } else {
                all(each)
            }
        }
    }
}

fn any(parts: impl Iterator<Item = Result<Vec<Path>, String>>) -> Result<Vec<Path>, String> {
    let mut found = Vec::new();
    for part in parts {
        add(&mut found, part?)?;
    }
    Ok(found)
}

fn all(parts: impl Iterator<Item = Result<Vec<Path>, String>>) -> Result<Vec<Path>, String> {
    let mut found = vec![Path { wanted: 0, unwanted: 0 }];
    for part in parts {
        let (part, before) = (part?, std::mem::take(&mut found));
        for left in &before {
            let joined = part.iter().map(|right| Path {
                wanted: left.wanted | right.wanted,
                unwanted: left.unwanted | right.unwanted,
            });
            add(&mut found, joined)?;
        }
    }
    Ok(found)
}

fn add(found: &mut Vec<Path>, more: impl IntoIterator<Item = Path>) -> Result<(), String> {
    for path in more {
        if path.wanted & path.unwanted == 0 && !found.contains(&path) {
            found.push(path);
        }
        if found.len() > MAX_PATHS {
            return Err(format!("its expression has more than {MAX_PATHS} alternatives"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, members: usize) -> Result<Vec<(u64, u64)>, String> {
        let expression = serde_json::from_str(json).map_err(|e| e.to_string())?;
        paths(&expression, members).map(|paths| paths.iter().map(|p| (p.wanted, p.unwanted)).collect())
    }

    #[test]
    fn negation_is_pushed_to_the_rules() {
        let json = r#"{"and": [{"rule": 0}, {"not": {"or": [{"rule": 1}, {"not": {"rule": 2}}]}}]}"#;
        assert_eq!(read(json, 3), Ok(vec![(0b101, 0b010)]));
        let json = r#"{"or": [{"rule": 0}, {"and": [{"rule": 1}, {"rule": 0}]}, {"rule": 0}]}"#;
        assert_eq!(read(json, 2), Ok(vec![(1, 0), (3, 0)]));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (json, why) in [
            (r#"{"not": {"rule": 0}}"#, "nothing happened"),
            (r#"{"or": [{"rule": 0}, {"not": {"rule": 1}}]}"#, "nothing happened"),
            (r#"{"and": []}"#, "nothing happened"),
            (r#"{"or": []}"#, "never hold"),
            (r#"{"and": [{"rule": 0}, {"not": {"rule": 0}}]}"#, "never hold"),
            (r#"{"rule": 7}"#, "rule 7 of 2"),
            (r#"{"xor": []}"#, "unknown variant"),
        ] {
            let refused = read(json, 2).unwrap_err();
            assert!(refused.contains(why), "{json}: {refused}");
        }
        let pair = |n: usize| format!(r#"{{"or": [{{"rule": {n}}}, {{"rule": {}}}]}}"#, n + 1);
        let many: Vec<String> = (0..20).map(|n| pair(2 * n)).collect();
        let refused = read(&format!(r#"{{"and": [{}]}}"#, many.join(",")), 40).unwrap_err();
        assert!(refused.contains("more than 256 alternatives"), "{refused}");
    }

    #[test]
    fn sixty_four_members_have_a_bit_each() {
        assert_eq!(Path::all(64).len(), 64);
        assert_eq!(Path::all(2).wanted, 3);
        assert_eq!(Path::all(64).before(63), 63);
        assert_eq!(bit(64), 0);
    }
}
