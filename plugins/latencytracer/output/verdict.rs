//! Where the time of a path goes, filled in by what its stages measured.

use livetune_core::latency::{BottleneckReason, Kind, StageShare, breakdown};

use super::model::{Bottleneck, Path};

impl Path {
    /// The path with shares, remainder and bottleneck.
    pub(crate) fn broken_down(mut self) -> Self {
        let stages: Vec<StageShare> = self
            .stages
            .iter()
            .map(|stage| StageShare {
                mean: stage.figures.transit.mean,
                kind: if stage.queue {
                    Kind::Queue
                } else {
                    Kind::Other
                },
                fill: stage.fill,
            })
            .collect();
        let parts = breakdown(&stages, self.end.figures.transit.mean);
        for (stage, share) in self.stages.iter_mut().zip(&parts.shares) {
            stage.share = *share;
        }
        self.remainder = parts.remainder;
        self.bottleneck = parts.bottleneck.map(|found| Bottleneck {
            stage: self.stages[found.index].name.clone(),
            reason: self.reason(found.index, found.reason),
        });
        self
    }

    fn reason(&self, index: usize, reason: BottleneckReason) -> String {
        let percent = self.stages[index].share.as_f64() * 100.0;
        match reason {
            BottleneckReason::LargestShare => format!("{percent:.0} % of the time"),
            BottleneckReason::FullQueueBefore(queue) => {
                format!("{} waits for it", self.stages[queue].name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{snapshot, stage};

    #[test]
    fn shares_add_up_and_a_queue_that_waits_blames_what_is_behind_it() {
        let mut path = snapshot().paths.remove(0);
        path.stages = vec![
            stage("source", 0, 4),
            stage("queue", 90, 90),
            stage("work", 10, 100),
        ];
        path.stages[1].queue = true;
        let path = path.broken_down();
        let shares: Vec<f64> = path
            .stages
            .iter()
            .map(|stage| stage.share.as_f64())
            .collect();
        assert_eq!(shares[0], 0.0);
        assert!((shares[1] - 0.9).abs() < 1e-6 && (shares[1] + shares[2] - 1.0).abs() < 1e-9);
        let bottleneck = path.bottleneck.expect("something takes time");
        assert_eq!(bottleneck.stage, "work");
        assert_eq!(bottleneck.reason, "queue waits for it");
        assert_eq!(path.remainder, -28_600_000);
    }

    #[test]
    fn without_a_queue_the_largest_share_is_the_bottleneck() {
        let path = snapshot().paths.remove(0).broken_down();
        let bottleneck = path.bottleneck.expect("something takes time");
        assert_eq!(bottleneck.stage, "x264enc0");
        assert_eq!(bottleneck.reason, "83 % of the time");
        assert_eq!(path.remainder, 0);
    }
}
