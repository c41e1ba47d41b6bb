//! Needles that may stand anywhere in a text: each is known by four of its bytes (three, where it has no more), chosen to be
//! rare among its fellows, and confirmed where those occur.

use hashbrown::HashMap;

/// Bits of the filter for each needle, of which two are set: one place in sixty of a text that holds none is looked up in vain.
const BITS_PER_NEEDLE: usize = 16;

/// What stands in most events whatever happened: grams of it are chosen last.
const COMMONPLACE: &str = "microsoft-windows-security-auditing microsoft-windows-sysmon/operational microsoft-windows-powershell \
    c:\\windows\\system32\\ c:\\program files (x86)\\ c:\\users\\ c:\\programdata\\ .exe .dll nt authority\\system hklm\\software\\ http:// \
    https:// www. .com mozilla/5.0 applewebkit 0000 1111 2222 -set get- new- file the and ";

/// Needles of one length of gram.
#[derive(Debug)]
struct Sized<const N: usize> {
    bits: Box<[u64]>,
    shift: u32,
    /// By gram: where its needles stand in `needles`.
    places: HashMap<u32, (u32, u32), foldhash::fast::RandomState>,
    /// Id of the needle, and how many of its bytes stand before the gram.
    needles: Vec<(u32, u32)>,
}

/// A set of needles, each with an id from 0.
#[derive(Debug)]
pub struct Grams {
    four: Option<Sized<4>>,
    three: Option<Sized<3>>,
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
        Self {
            four: Sized::new(&texts, |len| len >= 4),
            three: Sized::new(&texts, |len| len == 3),
            texts,
        }
    }

    /// Calls `each` with the id of every needle in `text`, as often as it occurs.
    pub fn scan(&self, text: &[u8], each: &mut impl FnMut(u32)) {
        if let Some(four) = &self.four {
            four.scan(text, &self.texts, each);
        }
        if let Some(three) = &self.three {
            three.scan(text, &self.texts, each);
        }
    }
}

impl<const N: usize> Sized<N> {
    fn new(texts: &[Box<str>], fits: impl Fn(usize) -> bool) -> Option<Self> {
        let mine = || texts.iter().enumerate().filter(|(_, text)| fits(text.len()));
        // A gram that many needles hold is frequent in what they are looked for in, too.
        let mut held: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
        for (_, text) in mine() {
            for window in text.as_bytes().windows(N) {
                *held.entry(gram::<N>(window)).or_default() += 1;
            }
        }
        for window in COMMONPLACE.as_bytes().windows(N) {
            held.insert(gram::<N>(window), u32::MAX);
        }
        let mut chosen: Vec<(u32, u32, u32)> = mine()
            .filter_map(|(id, text)| {
                let windows = text.as_bytes().windows(N).enumerate();
                let (before, window) = windows.min_by_key(|(_, window)| held[&gram::<N>(window)])?;
                Some((gram::<N>(window), id as u32, before as u32))
            })
            .collect();
        if chosen.is_empty() {
            return None;
        }
        chosen.sort_unstable();
        let size = (chosen.len() * BITS_PER_NEEDLE).next_power_of_two().max(128);
        let mut sized = Self {
            bits: vec![0; size / 64].into(),
            shift: 32 - (size / 64).trailing_zeros(),
            places: HashMap::default(),
            needles: Vec::with_capacity(chosen.len()),
        };
        for (gram, id, before) in chosen {
            let next = sized.needles.len() as u32;
            sized.places.entry(gram).or_insert((next, next)).1 += 1;
            sized.needles.push((id, before));
            let (word, bits) = sized.place(gram);
            sized.bits[word] |= bits;
        }
        Some(sized)
    }

    /// The word of the filter that a gram belongs to, and its two bits there.
    #[inline]
    fn place(&self, gram: u32) -> (usize, u64) {
        let hash = gram.wrapping_mul(0x9e37_79b1);
        let word = (hash >> self.shift) as usize;
        (word, 1 << (hash & 63) | 1 << (hash >> 6 & 63))
    }

    fn scan(&self, text: &[u8], texts: &[Box<str>], each: &mut impl FnMut(u32)) {
        for (at, window) in text.windows(N).enumerate() {
            let gram = gram::<N>(window);
            let (word, bits) = self.place(gram);
            if self.bits[word] & bits == bits {
                self.confirm(gram, at, text, texts, each);
            }
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
