//! A limit in virtual time: 25 frames a second.

use super::*;
use proptest::prelude::*;

const LIMIT: SlaConfig = SlaConfig {
    limit: Duration::from_millis(100),
    percentile: 95.0,
    window: Duration::from_secs(10),
    cooldown: Duration::from_secs(5),
};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn monitor(config: SlaConfig) -> SlaMonitor {
    SlaMonitor::new(config).expect("a valid configuration")
}

/// A monitor and the time, which goes on by 40 ms with each value.
struct Stream {
    monitor: SlaMonitor,
    now: MediaTime,
    changes: Vec<(SlaState, u64)>,
}

impl Stream {
    fn new(config: SlaConfig) -> Self {
        Self {
            monitor: monitor(config),
            now: MediaTime::from_millis(7_000),
            changes: Vec::new(),
        }
    }

    /// Feeds `values` for `millis` and answers the changes, with the milliseconds since the start of this call.
    fn feed(&mut self, values: &[u64], millis: u64) -> Vec<(SlaState, u64)> {
        let start = self.now;
        self.changes.clear();
        for value in values.iter().cycle().take((millis / 40) as usize) {
            self.monitor.on_value(ms(*value), self.now);
            if let Some(change) = self.monitor.on_timer(self.now) {
                assert_eq!(change.limit, self.monitor.config().limit);
                let after = self.now.since(start).as_millis() as u64;
                self.changes.push((change.state, after));
            }
            self.now = self.now.after(ms(40));
        }
        self.changes.clone()
    }

    fn states(&mut self, values: &[u64], millis: u64) -> Vec<SlaState> {
        let changes = self.feed(values, millis);
        changes.into_iter().map(|(state, _)| state).collect()
    }
}

#[test]
fn breaks_once_and_holds_again_ten_percent_below() {
    let mut stream = Stream::new(LIMIT);
    assert_eq!(stream.states(&[100], 20_000), []);
    assert_eq!(stream.states(&[101], 20_000), [SlaState::Violated]);
    assert_eq!(stream.states(&[95, 91], 20_000), []);
    assert_eq!(stream.states(&[90], 20_000), [SlaState::Restored]);
    assert_eq!(stream.states(&[100], 20_000), []);
}

#[test]
fn four_percent_may_be_late_and_eight_may_not() {
    let mut values = [50; 25];
    values[24] = 500;
    let mut stream = Stream::new(LIMIT);
    assert_eq!(stream.states(&values, 60_000), []);
    assert_eq!(stream.monitor.state(), Some(SlaState::Restored));
    assert_eq!(stream.states(&values[13..], 30_000), [SlaState::Violated]);
    assert!(stream.monitor.window_ratio().as_f64() > 0.05);
}

#[test]
fn a_step_is_told_within_a_second_and_its_end_within_the_window() {
    let mut stream = Stream::new(LIMIT);
    stream.feed(&[50], 30_000);
    let (state, after) = stream.feed(&[150], 10_000)[0];
    assert_eq!(state, SlaState::Violated);
    assert!(after < 1_000, "{after} ms");
    let (state, after) = stream.feed(&[50], 20_000)[0];
    assert_eq!(state, SlaState::Restored);
    assert!((6_000..=10_000).contains(&after), "{after} ms");
}

#[test]
fn the_first_frames_alone_break_nothing() {
    let mut stream = Stream::new(LIMIT);
    assert_eq!(stream.feed(&[900], 40), [], "one slow frame at the start");
    assert_eq!(stream.feed(&[50], 20_000), []);
    let mut late = Stream::new(LIMIT);
    assert_eq!(late.feed(&[900], 4_000), [(SlaState::Violated, 19 * 40)]);
}

#[test]
fn a_slow_stream_is_judged_by_what_a_window_brought() {
    let mut monitor = monitor(LIMIT);
    let mut changes = Vec::new();
    for second in (0..30).step_by(3) {
        let now = MediaTime::from_millis(second * 1_000);
        monitor.on_value(ms(200), now);
        changes.extend(monitor.on_timer(now).map(|change| (change.state, second)));
    }
    assert_eq!(changes, [(SlaState::Violated, 12)]);
}

#[test]
fn the_value_fits_the_decision_and_the_percentile() {
    let mut stream = Stream::new(LIMIT);
    stream.feed(&[140], 720);
    stream.monitor.on_value(ms(140), stream.now);
    stream.monitor.on_value(ms(140), stream.now);
    let change = stream.monitor.on_timer(stream.now).expect("a change");
    assert_eq!((change.value, change.limit), (ms(140), ms(100)));
    assert_eq!(stream.monitor.value(), ms(140));
    let at_the_edge = ms(100) + Duration::from_nanos(1);
    let mut monitor = monitor(LIMIT);
    for value in [ms(1), at_the_edge].into_iter().cycle().take(20) {
        monitor.on_value(value, MediaTime::ZERO);
    }
    let change = monitor.on_timer(MediaTime::ZERO).expect("a change");
    assert!(change.value >= at_the_edge);
}

#[test]
fn two_changes_of_a_kind_are_a_cooldown_apart() {
    let config = SlaConfig {
        window: ms(400),
        ..LIMIT
    };
    let mut stream = Stream::new(config);
    let mut flicker = vec![150; 40];
    flicker.extend([50; 40]);
    let changes = stream.feed(&flicker, 32_000);
    for state in [SlaState::Violated, SlaState::Restored] {
        let times = changes.iter().filter(|change| change.0 == state);
        let times: Vec<u64> = times.map(|change| change.1).collect();
        assert!(times.len() >= 4, "{changes:?}");
        assert!(times.windows(2).all(|t| t[1] - t[0] >= 5_000), "{times:?}");
    }
    let alternates = changes.windows(2).all(|pair| pair[0].0 != pair[1].0);
    assert!(alternates, "{changes:?}");
}

#[test]
fn a_stall_withdraws_the_verdict_and_old_values_count_no_more() {
    let mut stream = Stream::new(LIMIT);
    stream.feed(&[150], 5_000);
    assert_eq!(stream.monitor.state(), Some(SlaState::Violated));
    stream.now = stream.now.after(ms(10_001));
    assert_eq!(
        stream.monitor.on_timer(stream.now),
        None,
        "nothing came: nothing is restored"
    );
    assert_eq!(stream.monitor.state(), None);
    assert_eq!(stream.monitor.value(), Duration::ZERO);
    assert_eq!(stream.monitor.window_ratio(), Ratio::ZERO);
    assert_eq!(
        stream.feed(&[50], 5_000),
        [(SlaState::Restored, 19 * 40)],
        "as many values as at the start"
    );
    assert!(stream.monitor.total_ratio().as_f64() > 0.4);
}

#[test]
fn the_end_judges_what_there_is_and_keeps_what_was_told() {
    let mut stream = Stream::new(LIMIT);
    assert_eq!(stream.feed(&[150], 400), []);
    let end = stream.monitor.on_end(stream.now).expect("a change");
    assert_eq!((end.state, end.value), (SlaState::Violated, ms(150)));
    assert_eq!(stream.monitor.on_end(stream.now), None, "told once");
    stream.now = stream.now.after(ms(60_000));
    assert_eq!(stream.states(&[50], 2_000), [SlaState::Restored]);
}

#[test]
fn no_limit_counts_nothing_and_holds_no_window() {
    let mut stream = Stream::new(SlaConfig::default());
    assert_eq!(stream.feed(&[u64::MAX / 1_000_000], 20_000), []);
    assert!(stream.monitor.window.is_none());
    assert!(!stream.monitor.is_over(Duration::MAX));
    assert_eq!(stream.monitor.violations(), 0);
}

#[test]
fn a_limit_that_is_raised_holds_at_once_and_one_taken_away_is_forgotten() {
    let mut stream = Stream::new(LIMIT);
    stream.feed(&[200], 6_000);
    let raised = SlaConfig {
        limit: ms(300),
        ..LIMIT
    };
    stream.monitor.set_config(raised).expect("valid");
    assert_eq!(stream.feed(&[200], 400), [(SlaState::Restored, 0)]);
    stream.monitor.set_config(LIMIT).expect("valid");
    stream.feed(&[200], 10_000);
    assert_eq!(stream.monitor.state(), Some(SlaState::Violated));
    stream
        .monitor
        .set_config(SlaConfig::default())
        .expect("valid");
    stream.monitor.set_config(LIMIT).expect("valid");
    assert_eq!(stream.monitor.state(), None);
    assert_eq!(stream.states(&[50], 20_000), []);
}

#[test]
fn a_clock_that_is_set_back_begins_a_new_window() {
    let mut stream = Stream::new(LIMIT);
    stream.feed(&[150], 5_000);
    stream.now = MediaTime::ZERO;
    assert_eq!(stream.states(&[50], 2_000), [SlaState::Restored]);
}

#[test]
fn what_cannot_work_is_refused_in_words_and_the_old_stays() {
    let mut monitor = monitor(LIMIT);
    let wrong = [
        SlaConfig {
            limit: Duration::MAX,
            ..LIMIT
        },
        SlaConfig {
            percentile: 100.0,
            ..LIMIT
        },
        SlaConfig {
            percentile: f64::NAN,
            ..LIMIT
        },
        SlaConfig {
            window: ms(99),
            ..LIMIT
        },
    ];
    for (config, word) in wrong
        .into_iter()
        .zip(["limit", "percentile", "NaN", "window"])
    {
        let error = monitor.set_config(config).expect_err("a refusal");
        assert!(error.to_string().contains(word), "{error}");
        assert!(SlaMonitor::new(config).is_err());
    }
    assert_eq!(*monitor.config(), LIMIT);
}

proptest! {
    #[test]
    fn the_decision_is_that_of_the_sorted_list(
        values in prop::collection::vec(1_u64..200, 20..200),
        percentile in prop::sample::select(vec![50.0, 90.0, 95.0, 99.0]),
    ) {
        let config = SlaConfig { percentile, window: Duration::from_secs(60), ..LIMIT };
        let mut monitor = monitor(config);
        for value in &values {
            monitor.on_value(ms(*value), MediaTime::ZERO);
        }
        let mut sorted = values;
        sorted.sort_unstable();
        let rank = (percentile * sorted.len() as f64 / 100.0).ceil() as usize;
        let broken = sorted[rank - 1] > 100;
        let change = monitor.on_end(MediaTime::ZERO);
        prop_assert_eq!(change.is_some(), broken);
    }
}
