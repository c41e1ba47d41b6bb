//! Numbers of events, exactly: a sum that is added to and taken from for weeks must not drift, and a restored one must be
//! the one that was kept.

use std::cmp::Ordering;

const ONE: i128 = 1_000_000_000;
/// Larger numbers count as this one: weighted sums of them still fit 128 bits.
const LARGEST: i128 = 100_000_000_000_000_000 * ONE;

/// A decimal number in billionths; further decimals are cut, what is beyond ±10^17 counts as that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed(i128);

impl Fixed {
    /// Text that is wholly one decimal number: a sign, digits, a fraction. An exponent is read only as the core itself
    /// writes very large and very small numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !fraction.is_none_or(all_digits) {
            let number: f64 = text.parse().ok().filter(|n: &f64| n.is_finite())?;
            return (text.contains('e') && ryu::Buffer::new().format_finite(number) == text)
                .then(|| Self::from_f64(number));
        }
        let mut value: i128 = 0;
        let decimals = fraction
            .unwrap_or_default()
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(9);
        for digit in whole.bytes().chain(decimals) {
            value = value.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
        }
        let value = value.min(LARGEST);
        Some(Self(if negative { -value } else { value }))
    }

    /// The decimal number that a finite double stands for in its shortest form; of others zero.
    pub fn from_f64(number: f64) -> Self {
        // Rust prints doubles without an exponent.
        Self::parse(&number.to_string()).unwrap_or_default()
    }

    /// From the bytes of [`Self::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(i128::from_be_bytes(bytes).clamp(-LARGEST, LARGEST))
    }

    /// For a checkpoint.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The least whole number that is not below it, from 0 to `most`.
    pub fn ceiling(self, most: usize) -> usize {
        let whole = self.0.div_euclid(ONE) + i128::from(self.0.rem_euclid(ONE) > 0);
        usize::try_from(whole.max(0)).unwrap_or(most).min(most)
    }

    /// Whether it has no fraction.
    pub fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    /// Near enough for a sketch.
    pub fn as_f64(self) -> f64 {
        Number::of(self).as_f64()
    }
}

/// A fraction of a sum of [`Fixed`]: what a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    billionths: i128,
    per: i128,
}

impl Number {
    /// A whole number.
    pub fn count(n: usize) -> Self {
        Self::of(Fixed(n as i128 * ONE))
    }

    /// A single number.
    pub fn of(number: Fixed) -> Self {
        Self {
            billionths: number.0,
            per: 1,
        }
    }

    /// The percentile of sorted numbers, linear between ranks; `None` of none.
    pub fn percentile(sorted: &[Fixed], percentile: Fixed) -> Option<Self> {
        const WHOLE: i128 = 100 * ONE;
        let last = sorted.len().checked_sub(1)?;
        let rank = percentile.0.clamp(0, WHOLE) * last as i128;
        let low = usize::try_from(rank / WHOLE).unwrap_or(last);
        Some(Self::between(
            sorted[low],
            sorted[last.min(low + 1)],
            rank % WHOLE,
            WHOLE,
        ))
    }

    /// `low` and `part`/`whole` of the way to `high`; `whole` is at most 10^11.
    fn between(low: Fixed, high: Fixed, part: i128, whole: i128) -> Self {
        Self {
            billionths: low.0 * whole + (high.0 - low.0) * part,
            per: whole,
        }
    }

    /// The order of this number and a limit.
    pub fn compare(self, limit: Fixed) -> Ordering {
        self.billionths.cmp(&limit.0.saturating_mul(self.per))
    }

    /// As a double, for people.
    pub fn as_f64(self) -> f64 {
        let one = self.per * ONE;
        // Apart, so that whole numbers stay whole.
        (self.billionths / one) as f64 + (self.billionths % one) as f64 / one as f64
    }
}

/// A running sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum(i128);

impl Sum {
    /// From the bytes of [`Self::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(i128::from_be_bytes(bytes))
    }

    /// For a checkpoint.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Adds a number. No window holds enough of them to leave 128 bits.
    pub fn add(&mut self, number: Fixed) {
        self.0 = self.0.saturating_add(number.0);
    }

    /// Adds another sum.
    pub fn join(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// Takes back a sum that was added.
    pub fn part(&mut self, other: Self) {
        self.0 = self.0.saturating_sub(other.0);
    }

    /// Takes back a number that was added.
    pub fn take(&mut self, number: Fixed) {
        self.0 = self.0.saturating_sub(number.0);
    }

    /// The sum over `count` (1: the sum itself).
    pub fn over(self, count: u64) -> Number {
        Number {
            billionths: self.0,
            per: i128::from(count.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<f64> {
        Fixed::parse(text).map(Fixed::as_f64)
    }

    #[test]
    fn only_whole_text_is_a_number() {
        for text in [
            "", "-", ".5", "5.", "1e3", " 1", "1 ", "0x10", "1,5", "inf", "NaN", "٣", "--1", "1.2.3",
        ] {
            assert_eq!(Fixed::parse(text), None, "{text:?}");
        }
        assert_eq!(read("+04"), Some(4.0));
        assert_eq!(read("-1.50"), Some(-1.5));
        assert_eq!(read("1e16"), Some(1e16)); // as the core writes a double
        assert_eq!(read("1e-7"), Some(1e-7));
        assert_eq!(read("9".repeat(60).as_str()), Some(1e17));
        assert_eq!(read("0.1234567899999"), Some(0.123_456_789));
    }

    #[test]
    fn tenths_add_up_and_are_taken_back_without_a_rest() {
        let mut sum = Sum::default();
        for _ in 0..3 {
            sum.add(Fixed::from_f64(0.1));
        }
        assert_eq!(sum.over(1).compare(Fixed::from_f64(0.3)), Ordering::Equal);
        assert_eq!(sum.over(1).as_f64().to_string(), "0.3");
        assert_eq!(sum.over(3).compare(Fixed::from_f64(0.1)), Ordering::Equal);
        sum.take(Fixed::from_f64(0.3));
        assert_eq!(sum, Sum::default());
        let third = Number::between(Fixed::from_f64(-1.0), Fixed::from_f64(1.0), 1, 3);
        assert_eq!(third.compare(Fixed::from_f64(-0.333_333_333)), Ordering::Less);
        assert_eq!(third.compare(Fixed::from_f64(-0.333_333_334)), Ordering::Greater);
        assert_eq!(Number::count(65_536).as_f64().to_string(), "65536");
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let (low, high) = (Fixed(-LARGEST), Fixed(LARGEST));
        let most = Number::between(low, high, 100_000_000_000 - 1, 100_000_000_000);
        assert_eq!(most.compare(high), Ordering::Less);
        assert_eq!(most.compare(low), Ordering::Greater);
    }
}
