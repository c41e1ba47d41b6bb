//! At which values of a growing number an event leaves.

/// A floor, the values that loaded rules compare with, then doublings of the highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels(Vec<u64>);

impl Levels {
    /// Levels from `floor` and the values of rules; values below the floor lower it.
    pub fn new(floor: u64, mut rules: Vec<u64>) -> Self {
        rules.push(floor);
        rules.retain(|value| *value > 0);
        rules.sort_unstable();
        rules.dedup();
        Self(rules)
    }

    /// The highest level that `value` reaches, 0 below the floor.
    pub fn reached(&self, value: u64) -> u64 {
        let Some(top) = self.0.last().copied() else { return 0 };
        if value < top {
            return self.0.iter().rev().find(|level| **level <= value).copied().unwrap_or(0);
        }
        let mut level = top;
        while let Some(next) = level.checked_mul(2).filter(|next| *next <= value) {
            level = next;
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::Levels;

    #[test]
    fn floor_then_rules_then_doublings() {
        let levels = Levels::new(10, vec![30, 50]);
        let reached: Vec<u64> = [9, 10, 29, 30, 49, 50, 99, 100, 199, 200]
            .iter()
            .map(|n| levels.reached(*n))
            .collect();
        assert_eq!(reached, [0, 10, 10, 30, 30, 50, 50, 100, 100, 200]);
    }

    #[test]
    fn the_largest_number_ends() {
        assert!(Levels::new(10, vec![]).reached(u64::MAX) > u64::MAX / 4);
    }
}
