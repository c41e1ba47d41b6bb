//! Needles that may stand anywhere in a text: each is known by a few of its bytes, chosen to be rare among its fellows, and
//! confirmed where those occur. Where all needles are long, each is known by several grams in a row and a text is looked at in
//! every so manieth place only: one of the grams stands there, wherever the needle begins.

use hashbrown::HashMap;
use memchr::memmem::Finder;

use super::filter::Filter;

/// What stands in most events whatever happened: grams of it are chosen last.
const COMMONPLACE: &str = "microsoft-windows-security-auditing microsoft-windows-sysmon/operational microsoft-windows-powershell \
    c:\\windows\\system32\\ c:\\program files (x86)\\ c:\\users\\ c:\\programdata\\ .exe .dll nt authority\\system hklm\\software\\ http:// \
    https:// www. .com mozilla/5.0 applewebkit 0000 1111 2222 -set get- new- file the and ";

/// So many of the shortest needles at most are each looked for by themselves, so that the others allow longer strides.
const MOST_ALONE: usize = 4;
/// What a look at one place costs, and a search for one needle by itself per place that it passes over.
const LOOK: f64 = 20.0;
const ALONE: f64 = 1.5;

/// Strides of grams at most, and how many grams a tier holds in all for the sake of them.
const MAX_STRIDE: usize = 8;
const MAX_GRAMS: usize = 1 << 15;

/// Needles that are known by grams of `N` bytes at `stride` places in a row.
#[derive(Debug)]
struct Tier<const N: usize> {
    stride: usize,
    grams: Filter,
    /// By gram: where its needles stand in `needles`.
    places: HashMap<u32, (u32, u32), foldhash::fast::RandomState>,
    /// Id of the needle, and how many of its bytes stand before the gram.
    needles: Vec<(u32, u32)>,
}

/// Needles by how they are looked for.
#[derive(Debug)]
struct Tiers {
    alone: Vec<(u32, Finder<'static>)>,
    /// Three bytes.
    three: Option<Tier<3>>,
    /// More.
    four: Option<Tier<4>>,
}

/// A set of needles, each with an id from 0.
#[derive(Debug)]
pub struct Grams {
    ascii: Tiers,
    /// Needles beyond ASCII, which most texts need not be looked at for.
    others: Option<Tiers>,
    texts: Vec<Box<str>>,
}

/// The first `N` (three or four) bytes of a window that has them.
#[inline]
fn gram<const N: usize>(window: &[u8]) -> u32 {
    u32::from_le_bytes([window[0], window[1], window[2], if N == 4 { window[3] } else { 0 }])
}

impl Grams {
    /// Over `texts` of at least three bytes each; a needle's id is its place there.
    pub fn new(texts: Vec<Box<str>>) -> Self {
        let needles = (0..).zip(texts.iter().map(|text| &**text));
        let (ascii, others): (Vec<_>, Vec<_>) = needles.partition(|(_, text)| text.is_ascii());
        Self {
            ascii: Tiers::new(&ascii),
            others: (!others.is_empty()).then(|| Tiers::new(&others)),
            texts,
        }
    }

    /// Calls `each` with the id of every needle in `text`, once or oftener.
    pub fn scan(&self, text: &[u8], each: &mut impl FnMut(u32)) {
        self.ascii.scan(text, &self.texts, each);
        if let Some(others) = &self.others
            && !text.is_ascii()
        {
            others.scan(text, &self.texts, each);
        }
    }
}

/// How long a stride needles of at least `shortest` bytes allow.
fn stride(grams: usize, shortest: usize, needles: usize) -> usize {
    let room = (MAX_GRAMS / needles.max(1)).clamp(1, MAX_STRIDE);
    (shortest - grams + 1).min(room)
}

/// What looking for `needles`, shortest first, in grams costs per byte of text.
fn cost(needles: &[(u32, &[u8])]) -> f64 {
    let threes = needles.partition_point(|(_, text)| text.len() < 4);
    let (three, four) = needles.split_at(threes);
    let four = four
        .first()
        .map_or(0.0, |(_, shortest)| LOOK / stride(4, shortest.len(), four.len()) as f64);
    four + if three.is_empty() { 0.0 } else { LOOK }
}

impl Tiers {
    fn new(needles: &[(u32, &str)]) -> Self {
        let mut needles: Vec<(u32, &[u8])> = needles.iter().map(|(id, text)| (*id, text.as_bytes())).collect();
        needles.sort_by_key(|(_, text)| text.len());
        let cost = |alone: &usize| *alone as f64 * ALONE + cost(&needles[*alone..]);
        let alone = (0..=MOST_ALONE.min(needles.len())).min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let (alone, rest) = needles.split_at(alone.unwrap_or(0));
        let (three, four) = rest.split_at(rest.partition_point(|(_, text)| text.len() < 4));
        Self {
            alone: alone
                .iter()
                .map(|(id, text)| (*id, Finder::new(text).into_owned()))
                .collect(),
            three: Tier::new(three),
            four: Tier::new(four),
        }
    }

    fn scan(&self, text: &[u8], texts: &[Box<str>], each: &mut impl FnMut(u32)) {
        if let Some(four) = &self.four {
            four.scan(text, texts, each);
        }
        if let Some(three) = &self.three {
            three.scan(text, texts, each);
        }
        for (id, needle) in &self.alone {
            if needle.find(text).is_some() {
                each(*id);
            }
        }
    }
}

impl<const N: usize> Tier<N> {
    /// Over needles of at least `N` bytes, shortest first.
    fn new(needles: &[(u32, &[u8])]) -> Option<Self> {
        let (_, shortest) = needles.first()?;
        let stride = stride(N, shortest.len(), needles.len());
        // A gram that many needles hold is frequent in what they are looked for in, too.
        let mut held: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
        for (_, text) in needles {
            for window in text.windows(N) {
                *held.entry(gram::<N>(window)).or_default() += 1;
            }
        }
        for window in COMMONPLACE.as_bytes().windows(N) {
            held.insert(gram::<N>(window), u32::MAX);
        }
        let mut chosen: Vec<(u32, u32, u32)> = Vec::with_capacity(needles.len() * stride);
        for (id, text) in needles {
            let counts: Vec<u64> = text.windows(N).map(|window| held[&gram::<N>(window)].into()).collect();
            let runs = counts.windows(stride).map(|run| run.iter().sum::<u64>()).enumerate();
            let (from, _) = runs.min_by_key(|(_, held)| *held)?;
            let grams = text[from..].windows(N).take(stride).map(gram::<N>);
            chosen.extend((from as u32..).zip(grams).map(|(before, gram)| (gram, *id, before)));
        }
        chosen.sort_unstable();
        let mut tier = Self {
            stride,
            grams: Filter::new(chosen.len()),
            places: HashMap::default(),
            needles: Vec::with_capacity(chosen.len()),
        };
        for (gram, id, before) in chosen {
            let next = tier.needles.len() as u32;
            tier.places.entry(gram).or_insert((next, next)).1 += 1;
            tier.needles.push((id, before));
            tier.grams.add(gram);
        }
        Some(tier)
    }

    fn scan(&self, text: &[u8], texts: &[Box<str>], each: &mut impl FnMut(u32)) {
        let mut at = 0;
        while let Some(window) = text.get(at..at + N) {
            let gram = gram::<N>(window);
            if self.grams.may_hold(gram) {
                self.confirm(gram, at, text, texts, each);
            }
            at += self.stride;
        }
    }

    #[inline(never)]
    fn confirm(&self, gram: u32, at: usize, text: &[u8], texts: &[Box<str>], each: &mut impl FnMut(u32)) {
        let Some((from, to)) = self.places.get(&gram) else {
            return;
        };
        for (id, before) in &self.needles[*from as usize..*to as usize] {
            let needle = texts[*id as usize].as_bytes();
            if at
                .checked_sub(*before as usize)
                .is_some_and(|start| text[start..].starts_with(needle))
            {
                each(*id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needles: &[&str], text: &str) -> Vec<u32> {
        let grams = Grams::new(needles.iter().map(|needle| (*needle).into()).collect());
        let mut found = Vec::new();
        grams.scan(text.as_bytes(), &mut |id| found.push(id));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn a_needle_is_found_wherever_it_stands() {
        let needles = ["abc", "abcd", "bcde", "xabcdex", "δήμος", "cde"];
        assert_eq!(found(&needles, "abcde"), [0, 1, 2, 5]);
        assert_eq!(found(&needles, "ab"), [0; 0]);
        assert_eq!(found(&needles, "xabcdex"), [0, 1, 2, 3, 5]);
        assert_eq!(found(&needles, "ο δήμος"), [4]);
    }

    #[test]
    fn a_needle_of_any_length_is_found_at_any_place() {
        let letters: Vec<u8> = (b'a'..=b'z').collect();
        for length in 3..=16 {
            // Enough needles that none is looked for by itself.
            let needles: Vec<String> = (0..8)
                .map(|n| String::from_utf8(letters[n..n + length].to_vec()).unwrap())
                .collect();
            let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
            for before in 0..11 {
                for (id, needle) in (0..).zip(&needles) {
                    for after in ["", "-", "-------"] {
                        let text = format!("{}{needle}{after}", "-".repeat(before));
                        assert_eq!(found(&needles, &text), [id], "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_lost_among_many() {
        let needles: Vec<String> = (0..5000).map(|n| format!("needle{:x}", n * 7919)).collect();
        let grams = Grams::new(needles.iter().map(|needle| needle.as_str().into()).collect());
        for (id, needle) in needles.iter().enumerate().step_by(7) {
            let mut hit = false;
            grams.scan(format!("--{needle}--").as_bytes(), &mut |found| {
                hit |= found as usize == id;
            });
            assert!(hit, "{needle}");
        }
    }
}
