//! Regressions in virtual time: 25 frames a second.

use super::*;

/// A detector and the time; 25 values a second.
struct Stream {
    detector: RegressionDetector,
    now: MediaTime,
}

impl Stream {
    fn new(config: RegressionConfig) -> Self {
        let detector = RegressionDetector::new(config).expect("a valid configuration");
        Self {
            detector,
            now: MediaTime::from_millis(5_000),
        }
    }

    /// Feeds latencies that go round from `millis` to a fifth more.
    fn feed(&mut self, millis: u64, seconds: u64) -> Vec<RegressionChange> {
        let mut changes = Vec::new();
        for frame in 0..seconds * 25 {
            let micros = millis * 1_000 + millis * (frame * 7 % 21) * 10;
            self.detector
                .on_value(Duration::from_micros(micros), self.now);
            self.now = self.now.after(Duration::from_millis(40));
            changes.extend(self.detector.on_timer(self.now));
        }
        changes
    }
}

fn states(changes: &[RegressionChange]) -> Vec<RegressionState> {
    changes.iter().map(|change| change.state).collect()
}

#[test]
fn the_first_minute_is_the_baseline_and_a_step_after_it_is_told_with_its_figures() {
    let mut stream = Stream::new(RegressionConfig::default());
    assert_eq!(stream.feed(20, 59), []);
    assert!(stream.detector.baseline().is_none());
    assert_eq!(stream.feed(20, 21), []);
    let baseline = stream.detector.baseline().expect("a minute has passed");
    assert_eq!(baseline.blocks().len(), 60);
    let changes = stream.feed(30, 60);
    assert_eq!(states(&changes), [RegressionState::Regressed]);
    let change = changes[0];
    assert_eq!(change.statistic, Statistic::Median);
    assert_eq!(stream.detector.regressed(), Some(Statistic::Median));
    let near = |value: f64, millis: f64| (value / 1e6 / millis - 1.0).abs() < 0.04;
    assert!(near(change.baseline.as_nanos() as f64, 22.0), "{change:?}");
    assert!(near(change.value.as_nanos() as f64, 33.0), "{change:?}");
    assert!(near(change.shift as f64, 11.0), "{change:?}");
    assert!(change.p_value <= 0.0005, "{change:?}");
}

#[test]
fn latencies_that_come_back_are_told_once() {
    let mut stream = Stream::new(RegressionConfig::default());
    stream.feed(20, 90);
    assert_eq!(states(&stream.feed(30, 60)), [RegressionState::Regressed]);
    assert_eq!(stream.feed(28, 60), [], "still worse");
    let back = stream.feed(20, 60);
    assert_eq!(states(&back), [RegressionState::Recovered]);
    assert_eq!(back[0].statistic, Statistic::Median);
    assert_eq!(stream.detector.regressed(), None);
    assert_eq!(states(&stream.feed(30, 60)), [RegressionState::Regressed]);
}

#[test]
fn neither_an_improvement_nor_a_trifle_is_told() {
    let mut stream = Stream::new(RegressionConfig::default());
    stream.feed(100, 90);
    assert_eq!(stream.feed(50, 60), []);
    assert_eq!(stream.feed(108, 60), [], "8 %");
}

#[test]
fn a_microsecond_that_became_two_hundred_is_no_regression() {
    let mut stream = Stream::new(RegressionConfig::default());
    for frame in 0..150 * 25 {
        let micros = if frame < 90 * 25 { 1 } else { 200 };
        stream
            .detector
            .on_value(Duration::from_micros(micros), stream.now);
        stream.now = stream.now.after(Duration::from_millis(40));
        assert_eq!(stream.detector.on_timer(stream.now), None);
    }
}

#[test]
fn a_recorded_baseline_is_compared_from_the_first_window_on() {
    let mut recorder = Stream::new(RegressionConfig::default());
    recorder.feed(20, 60);
    let recorded = recorder.detector.baseline().expect("a minute has passed");
    let read = Baseline::new(recorded.block(), recorded.blocks().to_vec()).expect("valid");
    let config = RegressionConfig {
        baseline: BaselineSource::Recorded(read),
        ..RegressionConfig::default()
    };
    let mut stream = Stream::new(config);
    assert_eq!(stream.feed(30, 19), [], "no full window yet");
    assert_eq!(states(&stream.feed(30, 4)), [RegressionState::Regressed]);
}

#[test]
fn after_a_stall_only_new_blocks_count() {
    let mut stream = Stream::new(RegressionConfig::default());
    stream.feed(20, 90);
    assert_eq!(stream.feed(30, 8), []);
    stream.now = stream.now.after(Duration::from_secs(20));
    assert_eq!(stream.detector.on_timer(stream.now), None);
    assert_eq!(stream.feed(30, 19), [], "no full window yet");
    assert_eq!(states(&stream.feed(30, 10)), [RegressionState::Regressed]);
    stream.now = MediaTime::ZERO;
    assert_eq!(stream.feed(20, 19), [], "a clock that was set back");
    assert_eq!(states(&stream.feed(20, 10)), [RegressionState::Recovered]);
}

#[test]
fn a_slow_stream_has_longer_blocks() {
    let mut stream = Stream::new(RegressionConfig::default());
    for _ in 0..299 {
        let value = Duration::from_millis(20);
        stream.detector.on_value(value, stream.now);
        stream.detector.on_timer(stream.now);
        stream.now = stream.now.after(Duration::from_secs(1));
    }
    assert!(stream.detector.baseline().is_none());
    stream.feed(20, 1);
    assert!(
        stream.detector.baseline().is_some(),
        "60 blocks of 5 values"
    );
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let valid = RegressionConfig::default();
    let blocks = vec![
        Block {
            median: Duration::ZERO,
            p95: Duration::ZERO
        };
        10
    ];
    let other = Baseline::new(Duration::from_secs(2), blocks).expect("valid");
    let first = |seconds| BaselineSource::First(Duration::from_secs(seconds));
    let with = |change: fn(&mut RegressionConfig)| {
        let mut config = valid.clone();
        change(&mut config);
        config
    };
    let mut wrong = vec![
        (with(|c| c.block = Duration::from_millis(99)), "99ms"),
        (with(|c| c.window = 9), "window of 9"),
        (with(|c| c.window = 121), "window of 121"),
        (with(|c| c.alpha = 0.0), "significance"),
        (with(|c| c.alpha = f64::NAN), "significance"),
    ];
    for (baseline, words) in [
        (first(9), "baseline of 9s"),
        (first(601), "601s"),
        (BaselineSource::Recorded(other), "blocks of 2s"),
    ] {
        let config = RegressionConfig {
            baseline,
            ..valid.clone()
        };
        wrong.push((config, words));
    }
    for (config, words) in wrong {
        let error = RegressionDetector::new(config).expect_err("a refusal");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn few_blocks_that_are_correlated_still_tell_a_doubled_latency() {
    let config = RegressionConfig {
        baseline: BaselineSource::First(Duration::from_secs(10)),
        window: 10,
        ..RegressionConfig::default()
    };
    let mut stream = Stream::new(config);
    (20..30).for_each(|millis| assert_eq!(stream.feed(millis, 1), []));
    stream.feed(25, 10);
    let changes = stream.feed(60, 20);
    assert_eq!(states(&changes), [RegressionState::Regressed]);
}
