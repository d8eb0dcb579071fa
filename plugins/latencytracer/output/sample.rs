//! A snapshot for the tests of the outputs.

use std::time::Duration;

use livetune_core::latency::{Counts, Figures, Histogram, Summary};
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, Ratio};

use super::model::{Bottleneck, Histograms, Path, Snapshot, Stage};
use super::{Occasion, Over};

pub(super) fn occasion() -> Occasion {
    Occasion {
        time: MediaTime::from_nanos(1_790_000_000_000_000_000),
        over: Over::Interval,
        length: Duration::from_secs(1),
    }
}

/// A camera, a queue that is half full, an encoder that loses frames.
pub(super) fn snapshot() -> Snapshot {
    let mut queue = stage("queue0", 8, 12);
    queue.queue = true;
    (queue.fill, queue.share) = (Ratio::new(0.5), Ratio::new(0.25));
    let mut encoder = stage("x264enc0", 40, 52);
    encoder.share = Ratio::new(0.75);
    encoder.figures.counts = Counts {
        lost: 3,
        late: 1,
        ..Counts::default()
    };
    Snapshot {
        paths: vec![Path {
            pipeline: "camera".to_owned(),
            source: "v4l2src0".to_owned(),
            sink: "autovideosink0".to_owned(),
            stages: vec![stage("v4l2src0", 0, 4), queue, encoder],
            end: stage("autovideosink0", 48, 52),
            remainder: -1_500_000,
            bottleneck: Some(Bottleneck {
                stage: "x264enc0".to_owned(),
                reason: "75 % of the time".to_owned(),
            }),
        }],
    }
}

/// Ten frames that took up to `transit` ms and were up to `age` ms old; no transit where it is zero.
pub(super) fn stage(name: &str, transit: u64, age: u64) -> Stage {
    let [transits, ages] = [transit, age].map(histogram);
    Stage {
        name: name.to_owned(),
        queue: false,
        fill: Ratio::ZERO,
        share: Ratio::ZERO,
        figures: Figures {
            age: ages.summary(),
            transit: transits.summary(),
            jitter: Duration::ZERO,
            fps: 25.0,
            bitrate: Bitrate::from_kbps(2_000),
            counts: Counts::default(),
        },
        gaps: Summary::default(),
        histograms: Some(Histograms {
            transit: transits,
            age: ages,
        }),
    }
}

fn histogram(longest: u64) -> Histogram {
    let mut histogram = Histogram::new();
    let tenths = (1..=10).filter(|_| longest > 0);
    tenths.for_each(|tenth| histogram.record(Duration::from_millis(longest) * tenth / 10));
    histogram
}
