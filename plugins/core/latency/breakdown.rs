//! Where the time of a path goes: the share of each stage, and which of them is the bottleneck.
//!
//! What waits in a queue waits for what is behind it. So where a queue has the largest share the bottleneck is the slowest
//! stage between it and the next queue, unless nothing there takes time: then the queue waits on purpose (`min-threshold-time`).

use std::ops::Range;
use std::time::Duration;

use crate::time::nanos;
use crate::units::Ratio;

/// A queue this full pushes back on what is before it.
const FULL: f64 = 0.8;

/// Less than this part of the time is not worth a name: of all, for a queue that is full, or of a queue's, for what is
/// behind it.
const NOTICEABLE: f64 = 0.05;

/// What a stage does with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It keeps frames until what is behind it takes them.
    Queue,
    /// It works on them.
    Other,
}

/// A stage of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageShare {
    /// Its mean transit time.
    pub mean: Duration,
    /// What it does in that time.
    pub kind: Kind,
    /// How full it is, where it is a queue.
    pub fill: Ratio,
}

/// Why a stage is the bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BottleneckReason {
    /// It takes the most time.
    LargestShare,
    /// The queue at this index waits for it.
    FullQueueBefore(usize),
}

/// The stage that it would pay most to make faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// Its index.
    pub index: usize,
    /// Why it is.
    pub reason: BottleneckReason,
}

/// Where the time of a path goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    /// The part that each stage has of the sum of all: they add up to 1, or all are 0 where no stage takes time.
    pub shares: Vec<Ratio>,
    /// What the total has more than the sum of the stages, in nanoseconds; negative where it has less.
    pub remainder: i64,
    /// `None` where no stage takes time.
    pub bottleneck: Option<Bottleneck>,
}

/// Breaks `total` down to the `stages` of a path, in the order of the stream.
pub fn breakdown(stages: &[StageShare], total: Duration) -> Breakdown {
    let means: Vec<u64> = stages.iter().map(|stage| nanos(stage.mean)).collect();
    let sum = means
        .iter()
        .fold(0_u64, |sum, mean| sum.saturating_add(*mean));
    // Of a sum of its own: one that had to be cut short would make shares that add up to more than 1.
    let whole: f64 = means.iter().map(|mean| *mean as f64).sum();
    let share = |mean: &u64| Ratio::new(*mean as f64 / whole);
    Breakdown {
        shares: means.iter().map(share).collect(),
        remainder: difference(nanos(total), sum),
        bottleneck: bottleneck(stages, whole),
    }
}

fn bottleneck(stages: &[StageShare], whole: f64) -> Option<Bottleneck> {
    let largest = slowest(stages, 0..stages.len())?;
    let itself = Bottleneck {
        index: largest,
        reason: BottleneckReason::LargestShare,
    };
    let Some(queue) = waiting(stages, largest, whole) else {
        return Some(itself);
    };
    let behind = queue + 1..next_queue(stages, queue);
    let cause = slowest(stages, behind).filter(|cause| {
        let noticeable = nanos(stages[queue].mean) as f64 * NOTICEABLE;
        is_full(&stages[queue]) || nanos(stages[*cause].mean) as f64 >= noticeable
    });
    Some(cause.map_or(itself, |index| Bottleneck {
        index,
        reason: BottleneckReason::FullQueueBefore(queue),
    }))
}

/// The queue that waits for the bottleneck: the last that is full, for it is what fills those before it; else the one with
/// the largest share of all.
fn waiting(stages: &[StageShare], largest: usize, whole: f64) -> Option<usize> {
    let full = stages
        .iter()
        .rposition(|stage| is_full(stage) && nanos(stage.mean) as f64 >= whole * NOTICEABLE);
    full.or_else(|| (stages[largest].kind == Kind::Queue).then_some(largest))
}

fn is_full(stage: &StageShare) -> bool {
    stage.kind == Kind::Queue && stage.fill.as_f64() >= FULL
}

fn next_queue(stages: &[StageShare], queue: usize) -> usize {
    let behind = stages.iter().skip(queue + 1);
    let next = behind.take_while(|stage| stage.kind != Kind::Queue).count();
    queue + 1 + next
}

/// The first of those that take the most time; `None` where none takes any.
fn slowest(stages: &[StageShare], among: Range<usize>) -> Option<usize> {
    let slowest = among.rev().max_by_key(|index| stages[*index].mean)?;
    (!stages[slowest].mean.is_zero()).then_some(slowest)
}

fn difference(one: u64, other: u64) -> i64 {
    let difference = i128::from(one) - i128::from(other);
    difference.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn work(millis: u64) -> StageShare {
        StageShare {
            mean: Duration::from_millis(millis),
            kind: Kind::Other,
            fill: Ratio::ZERO,
        }
    }

    fn queue(millis: u64, fill: f64) -> StageShare {
        StageShare {
            kind: Kind::Queue,
            fill: Ratio::new(fill),
            ..work(millis)
        }
    }

    fn named(stages: &[StageShare]) -> Option<(usize, BottleneckReason)> {
        let found = breakdown(stages, Duration::from_secs(1)).bottleneck;
        found.map(|found| (found.index, found.reason))
    }

    use BottleneckReason::{FullQueueBefore, LargestShare};

    #[test]
    fn shares_add_up_and_the_rest_is_named_with_its_sign() {
        let stages = [work(10), work(30), work(60)];
        let parts = breakdown(&stages, Duration::from_millis(120));
        assert_eq!(parts.shares, [0.1, 0.3, 0.6].map(Ratio::new));
        assert_eq!(parts.remainder, 20_000_000);
        let less = breakdown(&stages, Duration::from_millis(90));
        assert_eq!(less.remainder, -10_000_000);
    }

    #[test]
    fn the_slowest_stage_is_the_bottleneck_and_of_equal_ones_the_first() {
        assert_eq!(
            named(&[work(10), work(30), work(5)]),
            Some((1, LargestShare))
        );
        assert_eq!(
            named(&[work(9), work(30), work(30)]),
            Some((1, LargestShare))
        );
        assert_eq!(named(&[work(7)]), Some((0, LargestShare)));
    }

    #[test]
    fn what_takes_no_time_is_no_bottleneck() {
        assert_eq!(named(&[]), None);
        assert_eq!(named(&[work(0), queue(0, 1.0)]), None);
        let parts = breakdown(&[work(0), work(0)], Duration::ZERO);
        assert_eq!(parts.shares, [Ratio::ZERO; 2]);
        assert_eq!(parts.remainder, 0);
    }

    #[test]
    fn a_queue_that_takes_the_most_waits_for_the_slowest_stage_behind_it() {
        let stages = [
            work(9),
            queue(500, 0.5),
            work(10),
            work(40),
            queue(1, 0.0),
            work(60),
        ];
        assert_eq!(named(&stages), Some((3, FullQueueBefore(1))));
    }

    #[test]
    fn of_full_queues_the_last_one_waits_for_the_cause() {
        let stages = [queue(600, 1.0), work(10), queue(400, 0.9), work(40)];
        assert_eq!(named(&stages), Some((3, FullQueueBefore(2))));
    }

    #[test]
    fn a_full_queue_names_what_is_behind_it_even_where_another_stage_takes_more() {
        let stages = [work(90), queue(30, 0.8), work(1)];
        assert_eq!(named(&stages), Some((2, FullQueueBefore(1))));
        let short = [work(90), queue(1, 1.0), work(1)];
        assert_eq!(
            named(&short),
            Some((0, LargestShare)),
            "it waits for nothing"
        );
    }

    #[test]
    fn a_queue_that_waits_on_purpose_is_named_itself() {
        let on_purpose = [work(5), queue(500, 0.3), work(24)];
        assert_eq!(named(&on_purpose), Some((1, LargestShare)));
        assert_eq!(
            named(&[work(5), queue(500, 1.0)]),
            Some((1, LargestShare)),
            "nothing is behind it"
        );
        let noticed = [work(5), queue(500, 0.3), work(25)];
        assert_eq!(named(&noticed), Some((2, FullQueueBefore(1))));
    }

    #[test]
    fn times_beyond_all_bounds_break_nothing() {
        let endless = StageShare {
            mean: Duration::MAX,
            ..work(0)
        };
        let parts = breakdown(&[endless, endless], Duration::ZERO);
        assert_eq!(parts.shares, [Ratio::new(0.5); 2]);
        assert_eq!(parts.remainder, i64::MIN);
    }

    proptest! {
        #[test]
        fn shares_add_up_to_all_or_nothing(
            stages in prop::collection::vec((0_u64..1 << 40, any::<bool>(), 0.0..1.0), 0..20)
        ) {
            let stages: Vec<StageShare> = stages.into_iter().map(|(mean, is_queue, fill)| StageShare {
                mean: Duration::from_nanos(mean),
                kind: if is_queue { Kind::Queue } else { Kind::Other },
                fill: Ratio::new(fill),
            }).collect();
            let parts = breakdown(&stages, Duration::from_secs(1));
            let sum: f64 = parts.shares.iter().map(|share| share.as_f64()).sum();
            let takes_time = stages.iter().any(|stage| !stage.mean.is_zero());
            prop_assert!((sum - f64::from(u8::from(takes_time))).abs() < 1e-9, "{}", sum);
            prop_assert_eq!(parts.bottleneck.is_some(), takes_time);
            let found = parts.bottleneck.map(|found| (stages[found.index].kind, found.reason));
            if let Some((kind, FullQueueBefore(_))) = found {
                prop_assert_eq!(kind, Kind::Other);
            }
        }
    }
}
