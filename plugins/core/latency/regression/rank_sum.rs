//! The Wilcoxon-Mann-Whitney test and the shift that belongs to it.
//!
//! H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other",
//! 1947: normal approximation (good from 8 values a side on), with the corrections for ties and continuity of M. Hollander,
//! D. A. Wolfe, E. Chicken, "Nonparametric Statistical Methods", section 4.1. The shift is the estimator of J. L. Hodges and
//! E. L. Lehmann, 1963: the median of all differences between the sides (section 4.2 there).

/// The probability that `late` lies at least this far above `early`, were both of one kind. `inflation` is by how many times
/// more U varies than with independent values. Both sides sorted.
pub(super) fn p_value(early: &[u64], late: &[u64], inflation: f64) -> f64 {
    let (n, m) = (early.len() as f64, late.len() as f64);
    let (mut at, mut to) = (0, 0);
    // Pairs in which the late one is longer, where a tie is half a pair; and the sum of t^3 - t over all groups of ties.
    let (mut pairs, mut ties) = (0.0, 0.0);
    while to < late.len() {
        let value = early.get(at).map_or(late[to], |e| late[to].min(*e));
        let same = |side: &[u64]| side.iter().take_while(|v| **v == value).count();
        let (in_early, in_late) = (same(&early[at..]), same(&late[to..]));
        pairs += in_late as f64 * (at as f64 + in_early as f64 / 2.0);
        let tied = (in_early + in_late) as f64;
        ties += tied * (tied * tied - 1.0);
        (at, to) = (at + in_early, to + in_late);
    }
    // The early ones above all late ones may be tied among themselves.
    while at < early.len() {
        let tied = early[at..].iter().take_while(|v| **v == early[at]).count();
        ties += tied as f64 * ((tied * tied) as f64 - 1.0);
        at += tied;
    }
    let all = n + m;
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    upper_tail((pairs - n * m / 2.0 - 0.5) / (variance * inflation).sqrt())
}

/// By how much `late` is longer than `early`. Both sorted and not empty.
pub(super) fn shift(early: &[u64], late: &[u64]) -> i64 {
    let half = (early.len() * late.len()).div_ceil(2);
    let (first, last) = (early.len() - 1, late.len() - 1);
    let mut low = late[0] as i64 - early[first] as i64;
    let mut high = late[last] as i64 - early[0] as i64;
    while low < high {
        let middle = low + (high - low) / 2;
        if differences_up_to(middle, early, late) >= half {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// How many of the differences are at most `most`.
fn differences_up_to(most: i64, early: &[u64], late: &[u64]) -> usize {
    let mut shorter = 0;
    let of_each = late.iter().map(|late| {
        let least = *late as i64 - most;
        while shorter < early.len() && (early[shorter] as i64) < least {
            shorter += 1;
        }
        early.len() - shorter
    });
    of_each.sum()
}

/// Of the standard normal distribution: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", the series 26.2.11
/// near the middle and the continued fraction 26.2.14 (Laplace) in the tail.
fn upper_tail(z: f64) -> f64 {
    const TERMS: u32 = 60;
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    if z > 2.0 {
        let fraction = (1..=TERMS).rev().fold(z, |f, k| z + f64::from(k) / f);
        return density / fraction;
    }
    if z < -2.0 {
        return 1.0 - upper_tail(-z);
    }
    let (mut term, mut sum) = (z, z);
    for k in 1..=TERMS {
        term *= z * z / f64::from(2 * k + 1);
        sum += term;
    }
    0.5 - density * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tail_of_the_normal_distribution_is_that_of_the_tables() {
        let table = [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931),
            (1.959_963_984_54, 0.025),
            (2.5, 0.006_209_665_326),
            (4.0, 3.167_124_183e-5),
            (6.0, 9.865_876_45e-10),
            (-1.0, 0.841_344_746_069),
        ];
        for (z, p) in table {
            let off = (upper_tail(z) - p) / p;
            assert!(off.abs() < 1e-8, "{z}: {} for {p}", upper_tail(z));
        }
    }

    #[test]
    fn the_test_is_that_of_the_textbook_with_ties() {
        // By hand: U = 45.5 of 64, sum of t^3 - t = 30, z = (45.5 - 32 - 0.5) / sqrt(64 / 12 * (17 - 30 / 240)).
        let early = [1, 2, 3, 5, 5, 8, 10, 11];
        let late = [4, 5, 6, 7, 9, 10, 12, 13];
        let p = p_value(&early, &late, 1.0);
        assert!((p - upper_tail(1.370_320_319)).abs() < 1e-6, "{p}");
        assert!(
            p_value(&early, &late, 4.0) > p,
            "correlated values say less"
        );
        assert!(p_value(&late, &early, 1.0) > 0.5, "one-sided");
        assert_eq!(p_value(&[7; 10], &[7; 10], 1.0), 1.0, "nothing differs");
    }

    proptest! {
        #[test]
        fn the_shift_is_the_median_of_all_differences(
            mut early in prop::collection::vec(0_u64..1_000, 1..30),
            mut late in prop::collection::vec(0_u64..1_000, 1..30),
        ) {
            early.sort_unstable();
            late.sort_unstable();
            let pairs = late.iter().flat_map(|l| early.iter().map(move |e| *l as i64 - *e as i64));
            let mut pairs: Vec<i64> = pairs.collect();
            pairs.sort_unstable();
            prop_assert_eq!(shift(&early, &late), pairs[pairs.len().div_ceil(2) - 1]);
        }
    }
}
