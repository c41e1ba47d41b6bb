//! ASN.1 in its basic encoding (X.690), as Kerberos and SNMP write it: elements of a one-byte tag and a definite length, one
//! after another. Nothing here recurses, allocates or reads beyond its bytes.

use std::fmt::Write as _;

/// An element runs beyond what holds it, or has a form that no protocol of ours uses: a tag of several bytes, a length of
/// more than four, an indefinite one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BITS: u8 = 0x03;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    content: &'a [u8],
    /// The bytes end before the element does.
    is_cut: bool,
}

impl<'a> Element<'a> {
    /// A whole element's content.
    pub(crate) fn whole(&self) -> Result<&'a [u8], Malformed> {
        if self.is_cut { Err(Malformed) } else { Ok(self.content) }
    }

    /// What it holds: elements, of which the last may be cut if this one is.
    pub(crate) fn elements(&self) -> Elements<'a> {
        Elements {
            bytes: self.content,
            is_cut: self.is_cut,
        }
    }

    /// The first element that it holds, which has to be of this tag.
    pub(crate) fn inside(&self, tag: u8) -> Result<Self, Malformed> {
        self.elements().expect(tag)
    }

    /// The same, for one that has to be whole.
    pub(crate) fn value(&self, tag: u8) -> Result<&'a [u8], Malformed> {
        self.inside(tag)?.whole()
    }
}

/// The tag and the length at the start, and how many bytes both take; `None` where they have not ended.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Malformed> {
    let [tag, rest @ ..] = bytes else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    let [first, rest @ ..] = rest else { return Ok(None) };
    let size = usize::from(first & 0x7f);
    match first {
        0..=0x7f => Ok(Some((*tag, size, 2))),
        // Leading zeros are not distinguished encoding, and are written by many.
        0x81..=0x84 => Ok(rest.get(..size).map(|bytes| {
            let length = bytes.iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
            (*tag, length, 2 + size)
        })),
        _ => Err(Malformed),
    }
}

/// Elements one after another. What follows a malformed one is lost.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    bytes: &'a [u8],
    is_cut: bool,
}

impl<'a> Elements<'a> {
    /// All of these bytes.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, is_cut: false }
    }

    /// Of bytes that may end in the middle of an element.
    pub(crate) fn as_far_as(bytes: &'a [u8]) -> Self {
        Self { bytes, is_cut: true }
    }

    /// The next element, which has to be of this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        match self.next() {
            Some(Ok(element)) if element.tag == tag => Ok(element),
            _ => Err(Malformed),
        }
    }

    /// The same, for one that has to be whole.
    pub(crate) fn value(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        self.expect(tag)?.whole()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() {
            return None;
        }
        let Ok(Some((tag, length, header))) = head(bytes) else {
            return Some(Err(Malformed));
        };
        let found = |content, is_cut| Some(Ok(Element { tag, content, is_cut }));
        match bytes[header..].split_at_checked(length) {
            Some((content, rest)) => {
                self.bytes = rest;
                found(content, false)
            }
            None if self.is_cut => found(&bytes[header..], true),
            None => Some(Err(Malformed)),
        }
    }
}

/// An integer of at most 64 bits.
pub(crate) fn integer(content: &[u8]) -> Option<i64> {
    let first = *content.first()?;
    let sign: i64 = if first & 0x80 == 0 { 0 } else { -1 };
    (content.len() <= 8).then(|| content.iter().fold(sign, |all, byte| all << 8 | i64::from(*byte)))
}

/// A number without sign of at most 64 bits; a zero byte may come first.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    let digits = match content {
        [] => return None,
        [0, rest @ ..] => rest,
        all => all,
    };
    (digits.len() <= 8).then(|| digits.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// An object identifier with dots (X.690, 8.19); an arc beyond 64 bits, or one that is cut, ends it.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut out = String::new();
    let mut arc = 0_u64;
    for byte in content {
        if arc >> 57 != 0 {
            break;
        }
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        let _ = if out.is_empty() {
            let first = (arc / 40).min(2);
            write!(out, "{first}.{}", arc - 40 * first)
        } else {
            write!(out, ".{arc}")
        };
        arc = 0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<(u8, usize), Malformed>> {
        Elements::of(bytes)
            .map(|element| element.map(|element| (element.tag, element.content.len())))
            .collect()
    }

    #[test]
    fn elements_follow_each_other_with_short_and_long_lengths() {
        let long = [&[0x30, 0x82, 0, 200][..], &[7; 200]].concat();
        assert_eq!(read(&[&[2, 1, 5][..], &long].concat()), [Ok((2, 1)), Ok((0x30, 200))]);
        assert_eq!(read(&[4, 0x84, 0, 0, 0, 1, 9, 5, 0]), [Ok((4, 1)), Ok((5, 0))]);
        assert_eq!(read(&[]), []);
    }

    #[test]
    fn what_is_malformed_ends_it() {
        for bytes in [
            &[0x30, 0x80, 2, 1, 5, 0, 0][..], // indefinite
            &[0x30, 0x85, 0, 0, 0, 0, 0],     // a length of five bytes
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1],
            &[0x1f, 0x81, 0], // a tag of several bytes
            &[0x30, 2, 1],
            &[0x30, 0x82, 0],
            &[0x30],
        ] {
            assert_eq!(read(bytes), [Err(Malformed)], "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_cut_holds_whole_elements_and_a_last_one_that_is_not() {
        let bytes = [0x30, 9, 0x30, 7, 2, 1, 5, 4, 2, 1, 2];
        let outer = |bytes| Elements::as_far_as(bytes).expect(SEQUENCE);
        assert_eq!(
            outer(&bytes).and_then(|outer| outer.value(SEQUENCE)).map(<[u8]>::len),
            Ok(7)
        );
        let inner = outer(&bytes[..10])
            .and_then(|outer| outer.inside(SEQUENCE))
            .expect("its start");
        let mut inside = inner.elements();
        assert_eq!(inside.value(INTEGER), Ok(&[5][..]));
        let last = inside.next().expect("one more").expect("a head");
        assert_eq!((last.tag, last.whole()), (OCTETS, Err(Malformed)));
        assert_eq!(inside.next(), None);
        // An element that runs beyond a whole one is malformed all the same.
        let wrong = [0x30, 4, 2, 3, 1, 1, 9];
        let mut inside = outer(&wrong).expect("a whole one").elements();
        assert_eq!(inside.next(), Some(Err(Malformed)));
    }

    #[test]
    fn no_cut_of_a_head_is_taken_for_one() {
        let whole = [0x6a, 0x82, 0x01, 0x02];
        assert!((0..4).all(|cut| head(&whole[..cut]) == Ok(None)));
        assert_eq!(head(&whole), Ok(Some((0x6a, 0x102, 4))));
    }

    #[test]
    fn numbers_have_a_sign_where_they_may() {
        assert_eq!(integer(&[0xff, 0x7b]), Some(-133));
        assert_eq!(integer(&[0, 0xff]), Some(255));
        assert_eq!((integer(&[]), integer(&[1; 9])), (None, None));
        assert_eq!(unsigned(&[0xff, 0xff]), Some(0xffff));
        assert_eq!(
            unsigned(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Some(u64::MAX)
        );
        assert_eq!((unsigned(&[]), unsigned(&[1; 9])), (None, None));
    }

    #[test]
    fn identifiers_have_dots() {
        assert_eq!(dotted(&[0x2b, 6, 1, 2, 1, 1, 1, 0]), "1.3.6.1.2.1.1.1.0");
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]), "1.2.840.113549");
        assert_eq!(dotted(&[0x88, 0x37, 3]), "2.999.3");
        assert_eq!((dotted(&[]), dotted(&[0x2a, 0x86])), (String::new(), "1.2".to_owned()));
        assert_eq!(dotted(&[&[0x2a][..], &[0xff; 40], &[1]].concat()), "1.2");
    }
}
