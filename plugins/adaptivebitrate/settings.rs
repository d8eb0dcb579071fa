//! What the user can set.

use livetune_core::bitrate::Config;
use livetune_core::units::Bitrate;

use super::Profile;

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
    pub(super) profile: Profile,
    pub(super) post_messages: bool,
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
