//! What the user can set.

use livetune_core::quality::{Config, DEFAULT_LADDER, Governor, Ladder};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The level by hand, or the one to start from; `None` for the best.
    pub(super) level: Option<String>,
    pub(super) auto: bool,
    /// `None` for the default one.
    pub(super) ladder: Option<String>,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        level: None,
        auto: true,
        ladder: None,
        post_messages: true,
    };

    /// The ladder as text.
    pub(super) fn ladder_text(&self) -> &str {
        self.ladder.as_deref().unwrap_or(DEFAULT_LADDER)
    }

    /// What these settings ask for, or why they cannot be met.
    pub(super) fn to_governor(&self) -> Result<Governor, gst::ErrorMessage> {
        let text = self.ladder_text();
        let ladder = Ladder::parse(text).map_err(|error| {
            gst::error_msg!(
                gst::LibraryError::Settings,
                ("The ladder cannot be read, {error}"),
                ["ladder={text}"]
            )
        })?;
        let level = self.level.as_deref();
        let start = level
            .map(|name| {
                let place = ladder.position(name);
                place.ok_or_else(|| {
                    let problem = unknown_level(name, &ladder);
                    gst::error_msg!(gst::LibraryError::Settings, ("{problem}"))
                })
            })
            .transpose()?;
        Governor::new(ladder, start, self.auto, Config::default()).map_err(|error| {
            gst::error_msg!(
                gst::LibraryError::Settings,
                ("The policy is wrong: {error}")
            )
        })
    }
}

/// Says that there is no level called `name`, and which there are.
pub(super) fn unknown_level(name: &str, ladder: &Ladder) -> String {
    let names = ladder.names();
    format!("There is no level \"{name}\": set one of {names}, or add it to the ladder")
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
