//! Divides what one path carries among the streams on it.
//!
//! Every stream first gets its minimum. What is left goes to the highest priority until its streams have their maximum,
//! then to the next; within a priority by weight (weighted max-min fairness: D. Bertsekas and R. Gallager, Data
//! Networks, 6.5.2; coupled congestion control for RTP divides in the same way by weight: RFC 8699, 5.3.1).

use crate::units::Bitrate;

/// What one stream asks of the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// It gets this even where the path carries less.
    pub min: Bitrate,
    /// It has no use for more.
    pub max: Bitrate,
    /// Its part beside others of its priority; what is not above zero counts as nothing.
    pub weight: f64,
    /// Served before lower ones.
    pub priority: i32,
}

/// A stream's claim and what it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What it asked.
    pub claim: Claim,
    /// What it gets.
    pub bitrate: Bitrate,
}

impl From<Claim> for Share {
    fn from(claim: Claim) -> Self {
        let bitrate = Bitrate::ZERO;
        Self { claim, bitrate }
    }
}

/// Divides `total` among `shares`. The sum never exceeds it, unless the minima alone do.
pub fn divide(total: Bitrate, shares: &mut [Share]) {
    let mut left = total.as_bps();
    for share in shares.iter_mut() {
        share.bitrate = share.claim.min;
        left = left.saturating_sub(share.claim.min.as_bps());
    }
    let mut below = None;
    while let Some(priority) = next_priority(shares, below) {
        left = fill(left, priority, shares);
        below = Some(priority);
    }
}

fn next_priority(shares: &[Share], below: Option<i32>) -> Option<i32> {
    let priorities = shares.iter().map(|share| share.claim.priority);
    priorities
        .filter(|priority| below.is_none_or(|below| *priority < below))
        .max()
}

/// Raises the streams of `priority` together, by weight, until nothing is left or all have enough; answers the rest.
fn fill(mut left: u64, priority: i32, shares: &mut [Share]) -> u64 {
    loop {
        let hungry = |share: &&mut Share| {
            let claim = &share.claim;
            claim.priority == priority && claim.weight > 0.0 && share.bitrate < claim.max
        };
        let weights: f64 = shares
            .iter_mut()
            .filter(hungry)
            .map(|share| share.claim.weight)
            .sum();
        if left == 0 || weights <= 0.0 {
            return left;
        }
        let (available, mut satisfied) = (left as f64, false);
        for share in shares.iter_mut().filter(hungry) {
            let part = (available * (share.claim.weight / weights)) as u64;
            let room = share.claim.max.as_bps() - share.bitrate.as_bps();
            let given = part.min(room).min(left);
            satisfied |= given == room;
            share.bitrate = Bitrate::from_bps(share.bitrate.as_bps() + given);
            left -= given;
        }
        // Whoever has enough leaves its part to the others; else all of it is given but for rounding.
        if !satisfied {
            return left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claim(min: u64, max: u64, weight: f64, priority: i32) -> Share {
        Share::from(Claim {
            min: Bitrate::from_kbps(min),
            max: Bitrate::from_kbps(max),
            weight,
            priority,
        })
    }

    fn kbps<const N: usize>(total: u64, mut shares: [Share; N]) -> [u64; N] {
        divide(Bitrate::from_kbps(total), &mut shares);
        shares.map(|share| share.bitrate.as_bps() / 1_000)
    }

    #[test]
    fn equals_get_equal_parts_and_weights_count() {
        let one = claim(100, 8_000, 1.0, 0);
        assert_eq!(kbps(2_000, [one, one]), [1_000, 1_000]);
        let three = claim(0, 8_000, 3.0, 0);
        let one = claim(0, 8_000, 1.0, 0);
        assert_eq!(kbps(2_000, [one, three]), [500, 1_500]);
    }

    #[test]
    fn what_one_has_no_use_for_goes_to_the_others() {
        let small = claim(0, 300, 1.0, 0);
        let large = claim(0, 8_000, 1.0, 0);
        assert_eq!(kbps(3_000, [small, large, large]), [300, 1_350, 1_350]);
    }

    #[test]
    fn a_higher_priority_is_served_first_and_minima_before_all() {
        let low = claim(200, 8_000, 1.0, 0);
        let high = claim(200, 1_500, 1.0, 5);
        assert_eq!(kbps(1_000, [low, high]), [200, 800]);
        assert_eq!(kbps(3_000, [low, high]), [1_500, 1_500]);
        assert_eq!(kbps(100, [low, high]), [200, 200]);
    }

    proptest! {
        #[test]
        fn the_sum_never_exceeds_the_total_and_nothing_is_left_that_somebody_wants(
            total in 0..u64::from(u32::MAX),
            claims in prop::collection::vec((0..1_000_000_u64, 0..9_000_000_u64, 0.1..10.0_f64, -2..3_i32), 1..12),
        ) {
            let mut shares: Vec<Share> = claims
                .iter()
                .map(|&(min, more, weight, priority)| Share::from(Claim {
                    min: Bitrate::from_bps(min),
                    max: Bitrate::from_bps(min + more),
                    weight,
                    priority,
                }))
                .collect();
            divide(Bitrate::from_bps(total), &mut shares);
            let sum: u64 = shares.iter().map(|share| share.bitrate.as_bps()).sum();
            let minima: u64 = shares.iter().map(|share| share.claim.min.as_bps()).sum();
            prop_assert!(sum <= total.max(minima));
            for share in &shares {
                prop_assert!(share.claim.min <= share.bitrate && share.bitrate <= share.claim.max);
            }
            let satisfied = shares.iter().all(|share| share.bitrate == share.claim.max);
            let rounding = shares.len() as u64;
            prop_assert!(satisfied || sum + rounding >= total.max(minima));
        }

        #[test]
        fn absurd_weights_do_no_harm(weights in prop::collection::vec(any::<f64>(), 1..5)) {
            let mut shares: Vec<Share> = weights.iter().map(|weight| claim(0, 9_000, *weight, 0)).collect();
            divide(Bitrate::from_kbps(1_000), &mut shares);
            let sum: u64 = shares.iter().map(|share| share.bitrate.as_bps()).sum();
            prop_assert!(sum <= 1_000_000);
        }
    }
}
