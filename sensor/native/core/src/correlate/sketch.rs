//! The distribution of more numbers than are kept, within one part in a hundred (bins that grow by a factor: Masson, Rim
//! and Lee, `DDSketch`, 2019). Unlike other sketches it can be taken back exactly, so that it slides.

use std::collections::BTreeMap;

use super::fixed::Fixed;

/// From one bin to the next.
const GROWTH: f64 = 1.02;
/// Above the bin number of 10^-9, the smallest number: bins of positive numbers are above 0, of negative ones below.
const SHIFT: i32 = 1_100;

/// How many numbers are in each bin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bins {
    bins: BTreeMap<i16, u32>,
}

impl Bins {
    /// (bin, numbers), for a checkpoint.
    pub fn iter(&self) -> impl Iterator<Item = (i16, u32)> {
        self.bins.iter().map(|(bin, n)| (*bin, *n))
    }

    /// From what [`Self::iter`] gave.
    pub fn restored(bins: impl IntoIterator<Item = (i16, u32)>) -> Self {
        Self {
            bins: bins.into_iter().filter(|(_, n)| *n > 0).collect(),
        }
    }

    /// Bytes it holds, about: a map's nodes are two thirds full.
    pub fn bytes(&self) -> usize {
        self.bins.len() * 16
    }

    /// Adds a number.
    pub fn add(&mut self, number: Fixed) {
        let n = self.bins.entry(bin(number)).or_insert(0);
        *n = n.saturating_add(1);
    }

    /// Takes back a number that was added.
    pub fn take(&mut self, number: Fixed) {
        self.less(bin(number), 1);
    }

    /// Adds another sketch.
    pub fn join(&mut self, other: &Self) {
        for (bin, n) in other.iter() {
            let mine = self.bins.entry(bin).or_insert(0);
            *mine = mine.saturating_add(n);
        }
    }

    /// Takes back a sketch that was added.
    pub fn part(&mut self, other: &Self) {
        for (bin, n) in other.iter() {
            self.less(bin, n);
        }
    }

    /// About the number at a percentile (0 to 100); `None` of none.
    pub fn percentile(&self, percentile: Fixed) -> Option<Fixed> {
        let all: u64 = self.bins.values().map(|n| u64::from(*n)).sum();
        let rank = percentile.as_f64() / 100.0 * all.checked_sub(1)? as f64;
        let mut below = 0.0;
        for (bin, n) in self.iter() {
            below += f64::from(n);
            if below > rank {
                return Some(middle(bin));
            }
        }
        self.bins.last_key_value().map(|(bin, _)| middle(*bin))
    }

    fn less(&mut self, bin: i16, n: u32) {
        if let Some(mine) = self.bins.get_mut(&bin) {
            *mine = mine.saturating_sub(n);
            if *mine == 0 {
                self.bins.remove(&bin);
            }
        }
    }
}

fn bin(number: Fixed) -> i16 {
    let number = number.as_f64();
    if number == 0.0 {
        return 0;
    }
    // From 10^-9 to 10^17: -1,046 to 1,977.
    let size = (number.abs().ln() / GROWTH.ln()).ceil() as i32 + SHIFT;
    (size * if number < 0.0 { -1 } else { 1 }) as i16
}

fn middle(bin: i16) -> Fixed {
    if bin == 0 {
        return Fixed::default();
    }
    let size = 2.0 * GROWTH.powi(i32::from(bin).abs() - SHIFT) / (GROWTH + 1.0);
    Fixed::from_f64(if bin < 0 { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_within_a_hundredth_and_slides_without_a_rest() {
        let numbers: Vec<f64> = (1..=5_000_i32)
            .flat_map(|n| [f64::from(n * n), -f64::from(n) / 7.0, 0.0])
            .chain([1e17, -1e17, 1e-9])
            .collect();
        let mut sketch = Bins::default();
        for number in &numbers {
            sketch.add(Fixed::from_f64(*number));
        }
        let mut sorted = numbers.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for percentile in [0.0, 1.0, 25.0, 40.0, 50.0, 75.0, 99.0, 99.9, 100.0] {
            #[allow(clippy::cast_sign_loss)] // a percentile is not below 0
            let rank = (percentile / 100.0 * (sorted.len() - 1) as f64) as usize;
            let exact = sorted[rank];
            let about = sketch.percentile(Fixed::from_f64(percentile)).unwrap().as_f64();
            assert!(
                (about - exact).abs() <= exact.abs() * 0.010_1,
                "{percentile}: {about} for {exact}"
            );
        }
        let mut twice = sketch.clone();
        twice.join(&sketch);
        twice.part(&sketch);
        assert_eq!(Bins::restored(twice.iter()), sketch);
        for number in &numbers {
            sketch.take(Fixed::from_f64(*number));
        }
        assert_eq!(sketch, Bins::default());
        assert_eq!(sketch.percentile(Fixed::from_f64(50.0)), None);
        assert!(twice.bytes() < 3_000 * 16, "{}", twice.bytes());
    }
}
