//! Settings that change while the element runs.

use gst::subclass::prelude::*;

use super::imp::QualitySwitch;
use super::sensors::Sensors;
use super::settings::{Settings, unknown_level};
use super::state::State;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

impl QualitySwitch {
    pub(super) fn level(&self) -> Option<String> {
        guard("qualityswitch's level", None, || {
            let level = self.with_state(|state| state.level()).flatten();
            level.or_else(|| lock(&self.settings).level.clone())
        })
    }

    pub(super) fn set_level(&self, level: Option<String>) {
        guard("qualityswitch's level", (), || {
            match self.with_state(|state| choose(state, level.as_deref())) {
                None | Some(Ok(())) => lock(&self.settings).level = level,
                Some(Err(problem)) => self.refuse(&problem),
            }
        });
    }

    pub(super) fn auto(&self) -> bool {
        lock(&self.settings).auto
    }

    pub(super) fn set_auto(&self, auto: bool) {
        guard("qualityswitch's auto", (), || {
            lock(&self.settings).auto = auto;
            self.with_state(|state| {
                state.ask_soon();
                let switch = state.governor.on_auto(auto, clock::monotonic());
                state.remember(switch);
            });
        });
    }

    pub(super) fn set_priority(&self, priority: i32) {
        self.seat(|settings| settings.priority = priority);
    }

    pub(super) fn set_group(&self, group: Option<String>) {
        self.seat(|settings| settings.group = group);
    }

    /// Takes the place in a group that the settings ask for after `change`.
    fn seat(&self, change: impl FnOnce(&mut Settings)) {
        guard("qualityswitch's group", (), || {
            let mut settings = lock(&self.settings);
            change(&mut settings);
            let (group, priority) = (settings.group().map(str::to_owned), settings.priority);
            drop(settings);
            self.with_state(|state| state.member.set(group.as_deref(), priority));
        });
    }

    pub(super) fn set_sensors(&self, sensors: Sensors) {
        self.tune(|settings| settings.sensors = sensors);
    }

    /// Takes `change` over where it can work, or where nothing runs yet.
    pub(super) fn tune(&self, change: impl FnOnce(&mut Settings)) {
        guard("qualityswitch's tuning", (), || {
            let mut wanted = lock(&self.settings).clone();
            change(&mut wanted);
            let config = wanted.to_config();
            match self.with_state(|state| state.governor.set_config(config)) {
                None | Some(Ok(())) => *lock(&self.settings) = wanted,
                Some(Err(problem)) => self.refuse(&problem.to_string()),
            }
        });
    }

    fn refuse(&self, problem: &str) {
        gst::element_imp_warning!(
            self,
            gst::LibraryError::Settings,
            ("{problem}; nothing changed")
        );
    }
}

/// Sets the level by hand, or says why that cannot be.
fn choose(state: &mut State, level: Option<&str>) -> Result<(), String> {
    if state.governor.auto() {
        return Err("The level is chosen by load and network: set auto=false first".to_owned());
    }
    let place = match level {
        Some(name) => {
            let ladder = state.governor.ladder();
            let place = ladder.position(name);
            place.ok_or_else(|| unknown_level(name, ladder))?
        }
        None => 0,
    };
    let switch = state.governor.on_level(place, clock::monotonic());
    state.remember(switch);
    Ok(())
}
