//! What the user can set.

use std::time::Duration;

use livetune_core::bitrate::{Config, Steps};
use livetune_core::units::Bitrate;

use super::{Mode, Profile};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Bit/s.
    pub(super) min_bitrate: u32,
    /// Bit/s.
    pub(super) max_bitrate: u32,
    /// Bit/s; 0: what the encoder is set to.
    pub(super) start_bitrate: u32,
    /// Name of the encoder; none: search for it.
    pub(super) encoder: Option<String>,
    /// Name of the transport; none: search for it.
    pub(super) transport: Option<String>,
    pub(super) enabled: bool,
    pub(super) tuning: Tuning,
    pub(super) profile: Profile,
    pub(super) post_messages: bool,
}

/// How the rate moves, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tuning {
    pub(super) mode: Mode,
    /// Bit/s; 0: any rate, or the usual step.
    pub(super) step_size: u32,
    /// Milliseconds; 0: as it comes, or the usual interval.
    pub(super) adjustment_interval: u32,
    /// The fraction of packets that must arrive; 0: what the path bears, or the usual fraction.
    pub(super) quality_threshold: f64,
    /// Name of the group; none: all that go through the same transport.
    pub(super) group: Option<String>,
    pub(super) weight: f64,
    pub(super) priority: i32,
}

impl Tuning {
    pub(super) const DEFAULT: Self = Self {
        mode: Mode::Auto,
        step_size: 0,
        adjustment_interval: 0,
        quality_threshold: 0.0,
        group: None,
        weight: 1.0,
        priority: 0,
    };

    pub(super) fn step(&self) -> Bitrate {
        Bitrate::from_bps(self.step_size.into())
    }

    pub(super) fn interval(&self) -> Duration {
        Duration::from_millis(self.adjustment_interval.into())
    }

    /// The steps of mode `fixed-step`.
    pub(super) fn steps(&self) -> Steps {
        let usual = Steps::default();
        Steps {
            step: match self.step_size {
                0 => usual.step,
                _ => self.step(),
            },
            interval: match self.adjustment_interval {
                0 => usual.interval,
                _ => self.interval(),
            },
            threshold: match self.quality_threshold > 0.0 {
                true => self.quality_threshold,
                false => usual.threshold,
            },
        }
    }
}

impl Settings {
    /// The least that any limit may be (bit/s), that of webrtcsink and rtpgccbwe.
    pub(super) const LEAST_BITRATE: u32 = 1_000;
    pub(super) const DEFAULT: Self = Self {
        min_bitrate: 100_000,
        max_bitrate: 8_000_000,
        start_bitrate: 0,
        encoder: None,
        transport: None,
        enabled: true,
        tuning: Tuning::DEFAULT,
        profile: Profile::None,
        post_messages: true,
    };

    /// The limits, or a text that says why they cannot be kept.
    pub(super) fn limits(&self) -> Result<Config, String> {
        let config = Config {
            min: Bitrate::from_bps(self.min_bitrate.into()),
            max: Bitrate::from_bps(self.max_bitrate.into()),
        };
        config.validate().map_err(|error| {
            format!(
                "min-bitrate is {} and max-bitrate is {} bit/s, but {error}: set min-bitrate to {} or less",
                self.min_bitrate, self.max_bitrate, self.max_bitrate
            )
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
