//! Measures one stage.

use std::fmt;
use std::time::Duration;

use super::sla::{SlaChange, SlaConfig, SlaConfigError, SlaMonitor};
use super::tally::{Figures, LONGEST, Tally};
use crate::time::MediaTime;
use crate::units::ByteCount;

/// Upper bounds of the distribution: the frame times of usual rates (10, 20, 33, 50 ms) and the usual budgets.
pub const BUCKETS: [Duration; 13] = [
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(33),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(150),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// What a meter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Time between two reports; zero: only at the end.
    pub interval: Duration,
    /// Limit on the latency; zero: none.
    pub sla: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            sla: Duration::ZERO,
        }
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConfigError {
    /// The limit lies beyond what percentiles reach, so that it could never break.
    SlaTooLong(Duration),
    /// The limit cannot be watched.
    Sla(SlaConfigError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlaTooLong(sla) => write!(
                f,
                "a limit of {sla:?} can never be broken: percentiles reach to {LONGEST:?}"
            ),
            Self::Sla(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<SlaConfigError> for ConfigError {
    fn from(error: SlaConfigError) -> Self {
        Self::Sla(error)
    }
}

impl Config {
    fn to_sla(self) -> SlaConfig {
        SlaConfig {
            limit: self.sla,
            window: Duration::from_secs(1).max(self.interval),
            cooldown: Duration::ZERO,
            ..SlaConfig::default()
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.sla >= LONGEST {
            return Err(ConfigError::SlaTooLong(self.sla));
        }
        Ok(())
    }
}

/// What an interval showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// The figures of the interval.
    pub figures: Figures,
    /// Where the 95th percentile broke the limit or came back under it since the last report.
    pub sla: Option<SlaChange>,
}

/// Takes in the latency of every buffer and says each interval what it came to.
#[derive(Debug)]
pub struct StageMeter {
    interval: Duration,
    sla: SlaMonitor,
    change: Option<SlaChange>,
    window: Tally<u32>,
    total: Tally<u64>,
    buckets: [u64; BUCKETS.len() + 1],
}

impl StageMeter {
    /// A meter that has seen nothing.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            interval: config.interval,
            sla: SlaMonitor::new(config.to_sla())?,
            change: None,
            window: Tally::new(),
            total: Tally::new(),
            buckets: [0; BUCKETS.len() + 1],
        })
    }

    /// Goes on with another configuration; what was seen so far stays.
    ///
    /// # Errors
    /// Where the configuration cannot work; the one before stays.
    pub fn set_config(&mut self, config: Config) -> Result<(), ConfigError> {
        config.validate()?;
        self.sla.set_config(config.to_sla())?;
        self.interval = config.interval;
        Ok(())
    }

    /// The limit on the latency; zero where there is none.
    pub fn sla(&self) -> Duration {
        self.sla.config().limit
    }

    /// Takes in a buffer of `size` that is `latency` late.
    pub fn on_buffer(&mut self, latency: Duration, size: ByteCount, now: MediaTime) {
        let violated = self.sla.is_over(latency);
        self.sla.on_value(latency, now);
        self.window.record(latency, size, violated, now);
        self.total.record(latency, size, violated, now);
        let bucket = BUCKETS.partition_point(|bound| *bound < latency);
        self.buckets[bucket] += 1;
    }

    /// Closes the interval where it is over, and begins the next.
    pub fn on_timer(&mut self, now: MediaTime) -> Option<Report> {
        self.change = self.sla.on_timer(now).or(self.change);
        let opened = self.window.opened()?;
        let due = !self.interval.is_zero() && now.since(opened) >= self.interval;
        due.then(|| self.close(now, Some(now))).flatten()
    }

    /// Closes the interval at the end of the stream. The next begins with the next buffer.
    pub fn on_end(&mut self, now: MediaTime) -> Option<Report> {
        self.change = self.sla.on_end(now).or(self.change);
        self.close(now, None)
    }

    /// What all buffers so far came to.
    pub fn total(&self) -> Figures {
        self.total.figures(self.total.last())
    }

    /// The sum of all latencies so far.
    pub fn sum(&self) -> Duration {
        self.total.sum()
    }

    /// How many buffers fell into each bucket: at or under the bound of [`BUCKETS`] at the same place and over the
    /// one before; the last is for those over all bounds.
    pub fn buckets(&self) -> &[u64; BUCKETS.len() + 1] {
        &self.buckets
    }

    fn close(&mut self, now: MediaTime, next: Option<MediaTime>) -> Option<Report> {
        let figures = (!self.window.is_empty()).then(|| self.window.figures(now));
        self.window.restart(next);
        let figures = figures?;
        Some(Report {
            figures,
            sla: self.change.take(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::SlaState;
    use crate::units::Bitrate;

    const FRAME: ByteCount = ByteCount::new(1_000);

    fn meter(config: Config) -> StageMeter {
        StageMeter::new(config).expect("a valid configuration")
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Feeds a buffer every `gap` from `from` until before `to` and collects the reports.
    fn feed(meter: &mut StageMeter, latency: Duration, span: [u64; 2], gap: u64) -> Vec<Report> {
        let times = (span[0]..span[1]).step_by(gap as usize);
        let mut reports = Vec::new();
        for now in times.map(MediaTime::from_millis) {
            meter.on_buffer(latency, FRAME, now);
            reports.extend(meter.on_timer(now));
        }
        reports
    }

    #[test]
    fn closes_after_the_interval_and_starts_over() {
        let mut meter = meter(Config::default());
        let reports = feed(&mut meter, ms(30), [5_000, 7_001], 40);
        let counts: Vec<u64> = reports.iter().map(|r| r.figures.count).collect();
        assert_eq!(
            counts,
            [26, 25],
            "the first buffer opens the first interval"
        );
        for report in &reports {
            assert_eq!(report.figures.fps, 25.0);
            assert_eq!(report.figures.bitrate, Bitrate::from_kbps(200));
            assert_eq!(report.figures.p50, ms(30));
            assert_eq!(report.sla, None);
        }
        assert_eq!(meter.total().count, 51);
        assert_eq!(meter.total().fps, 25.0);
    }

    #[test]
    fn without_an_interval_only_the_end_reports() {
        let mut meter = meter(Config {
            interval: Duration::ZERO,
            ..Config::default()
        });
        assert_eq!(feed(&mut meter, ms(3), [0, 10_000], 100), []);
        let report = meter
            .on_end(MediaTime::from_millis(9_900))
            .expect("a report");
        assert_eq!((report.figures.count, report.figures.fps), (100, 10.0));
        assert_eq!(
            meter.on_end(MediaTime::from_millis(9_900)),
            None,
            "nothing new"
        );
    }

    #[test]
    fn the_time_between_two_streams_belongs_to_none() {
        let mut meter = meter(Config::default());
        feed(&mut meter, ms(3), [0, 500], 50);
        meter.on_end(MediaTime::from_millis(450));
        let reports = feed(&mut meter, ms(3), [60_000, 61_001], 50);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].figures.fps, 20.0);
    }

    #[test]
    fn a_stall_shows_in_the_rate() {
        let mut meter = meter(Config::default());
        feed(&mut meter, ms(3), [0, 500], 100);
        let reports = feed(&mut meter, ms(3), [5_000, 5_001], 1);
        assert_eq!(reports[0].figures.fps, 1.0, "five buffers in five seconds");
    }

    #[test]
    fn buffers_over_the_limit_are_counted_and_the_interval_says_when_it_broke() {
        let mut meter = meter(Config {
            sla: ms(50),
            ..Config::default()
        });
        assert_eq!(feed(&mut meter, ms(50), [0, 1_001], 20)[0].sla, None);
        let broken = feed(&mut meter, ms(60), [1_020, 2_001], 20);
        assert_eq!(
            broken[0].sla.map(|change| change.state),
            Some(SlaState::Violated)
        );
        assert_eq!(broken[0].figures.violations, 50);
        assert_eq!(broken[0].figures.violation_ratio().as_f64(), 1.0);
        let restored = feed(&mut meter, ms(40), [2_020, 3_001], 20);
        assert_eq!(
            restored[0].sla.map(|change| change.state),
            Some(SlaState::Restored)
        );
        assert_eq!(meter.total().violations, 50);
        assert!(meter.total().violation_ratio().as_f64() < 0.34);
    }

    #[test]
    fn a_limit_that_can_never_break_is_refused_and_the_old_one_stays() {
        let mut meter = meter(Config {
            sla: ms(50),
            ..Config::default()
        });
        let refused = meter.set_config(Config {
            sla: LONGEST,
            ..Config::default()
        });
        assert_eq!(refused, Err(ConfigError::SlaTooLong(LONGEST)));
        assert_eq!(meter.sla(), ms(50));
    }

    #[test]
    fn every_latency_falls_into_one_bucket() {
        let mut meter = meter(Config::default());
        for latency in [ms(0), ms(1), ms(2), ms(999), ms(1_000), ms(1_001)] {
            meter.on_buffer(latency, FRAME, MediaTime::ZERO);
        }
        let mut expected = [0; BUCKETS.len() + 1];
        (expected[0], expected[1], expected[12], expected[13]) = (2, 1, 2, 1);
        assert_eq!(meter.buckets(), &expected);
        assert_eq!(meter.sum(), ms(3_003));
    }
}
