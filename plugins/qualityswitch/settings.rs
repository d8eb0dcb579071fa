//! What the user can set.

use std::time::Duration;

use livetune_core::quality::{Config, DEFAULT_LADDER, Governor, Ladder, Pace};

use super::options::{Preference, ScalerChoice, StepMode};
use super::sensors::Sensors;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The level by hand, or the one to start from; `None` for the best.
    pub(super) level: Option<String>,
    pub(super) auto: bool,
    /// `None` for the default one.
    pub(super) ladder: Option<String>,
    /// The least rung that is stepped to; `None` for the last.
    pub(super) min_rung: Option<String>,
    /// The best; `None` for the first.
    pub(super) max_rung: Option<String>,
    pub(super) step_mode: StepMode,
    pub(super) preference: Preference,
    pub(super) scaler: ScalerChoice,
    pub(super) sensors: Sensors,
    /// Milliseconds; 0: what the events say.
    pub(super) latency_target: u32,
    pub(super) busy_high: f64,
    /// Milliseconds.
    pub(super) down_hold: u32,
    /// Milliseconds.
    pub(super) up_hold: u32,
    pub(super) up_projected_max: f64,
    /// Milliseconds.
    pub(super) settle: u32,
    /// `None`: alone.
    pub(super) group: Option<String>,
    pub(super) priority: i32,
    /// Name of the encoder; `None`: search for it.
    pub(super) encoder: Option<String>,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        level: None,
        auto: true,
        ladder: None,
        min_rung: None,
        max_rung: None,
        step_mode: StepMode::Both,
        preference: Preference::Balanced,
        scaler: ScalerChoice::Auto,
        sensors: Sensors::all(),
        latency_target: 0,
        busy_high: 0.85,
        down_hold: 500,
        up_hold: 4_000,
        up_projected_max: 0.70,
        settle: 1_000,
        group: None,
        priority: 0,
        encoder: None,
        post_messages: true,
    };

    /// An hour: no hold is worth more.
    pub(super) const LONGEST: u32 = 3_600_000;
    /// One minute: no camera is watched with more.
    pub(super) const MOST_LATENCY: u32 = 60_000;

    /// The ladder as text.
    pub(super) fn ladder_text(&self) -> &str {
        self.ladder.as_deref().unwrap_or(DEFAULT_LADDER)
    }

    /// How late frames may be, where the user says so.
    pub(super) fn latency_target(&self) -> Option<Duration> {
        (self.latency_target > 0).then(|| millis(self.latency_target))
    }

    /// How quick it is down, and how slow up.
    pub(super) fn to_config(&self) -> Config {
        let base = Config::default();
        let up_hold = millis(self.up_hold);
        let paced = self.preference == Preference::Paced;
        let pace = self.latency_target().unwrap_or(Pace::TARGET);
        Config {
            sensors: self.sensors.to_core(),
            busy_high: self.busy_high,
            down_hold: millis(self.down_hold),
            up_projected_max: self.up_projected_max,
            up_hold,
            up_hold_max: base.up_hold_max.max(up_hold),
            settle: millis(self.settle),
            pace: paced.then_some(pace),
            ..base
        }
    }

    /// The name of the group, where there is one.
    pub(super) fn group(&self) -> Option<&str> {
        self.group.as_deref().filter(|name| !name.is_empty())
    }

    /// The steps that are gone.
    fn to_ladder(&self) -> Result<Ladder, gst::ErrorMessage> {
        let text = self.ladder_text();
        let wrong = |problem: String| {
            gst::error_msg!(
                gst::LibraryError::Settings,
                ("{problem}"),
                ["ladder={text}"]
            )
        };
        let ladder = Ladder::parse(text);
        let ladder =
            ladder.map_err(|error| wrong(format!("The ladder cannot be read, {error}")))?;
        let part = ladder.between(self.max_rung.as_deref(), self.min_rung.as_deref());
        let part = part.map_err(|error| {
            let names = ladder.names();
            wrong(format!(
                "min-rung and max-rung do not fit the ladder: {error}. Its rungs are {names}"
            ))
        })?;
        Ok(part.steps(self.preference.into(), self.step_mode.into()))
    }

    /// What these settings ask for, or why they cannot be met.
    pub(super) fn to_governor(&self) -> Result<Governor, gst::ErrorMessage> {
        let ladder = self.to_ladder()?;
        let wrong = |problem: String| gst::error_msg!(gst::LibraryError::Settings, ("{problem}"));
        let start = self.level.as_deref().map(|name| {
            let place = ladder.position(name);
            place.ok_or_else(|| wrong(unknown_level(name, &ladder)))
        });
        let start = start.transpose()?;
        Governor::new(ladder, start, self.auto, self.to_config())
            .map_err(|error| wrong(format!("The policy cannot work: {error}")))
    }
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
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
