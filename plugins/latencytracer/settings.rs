//! What the user can set.

use std::time::Duration;

use livetune_core::latency::Config;

use super::network::Choice;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Name of the stage in reports; `None`: the element's name.
    pub(super) stage: Option<String>,
    /// Milliseconds between two reports; 0: only at the end of the stream.
    pub(super) interval: u32,
    pub(super) post_messages: bool,
    /// Limit in milliseconds; 0: none.
    pub(super) sla: u32,
    /// Attach the capture time as NTP time, for receivers on the network.
    pub(super) network: bool,
    /// Put the capture time into H.264 and H.265 video.
    pub(super) sei: bool,
    /// Nanoseconds to add to the clock for capture times.
    pub(super) clock_offset: i64,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        stage: None,
        interval: 1_000,
        post_messages: true,
        sla: 0,
        network: false,
        sei: false,
        clock_offset: 0,
    };

    /// The longest `sla` in milliseconds: percentiles reach to 60 s.
    pub(super) const LONGEST_SLA: u32 = 59_999;

    pub(super) fn to_choice(&self) -> Choice {
        Choice {
            stamp: self.network,
            embed: self.sei,
            offset: self.clock_offset,
        }
    }

    pub(super) fn to_config(&self) -> Config {
        Config {
            interval: Duration::from_millis(self.interval.into()),
            sla: Duration::from_millis(self.sla.into()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
