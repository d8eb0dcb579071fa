//! Which of size and frame rate goes first: from the ladder that the user wrote to the steps that are gone.

use std::fmt;

use super::ladder::{Ladder, Rung};
use super::rate::FrameRate;

/// What is given up last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preference {
    /// The rungs as they are written.
    #[default]
    Balanced,
    /// Motion: sizes go down first, then, at the least size, frame rates.
    Smooth,
    /// Detail: frame rates go down first, then, at the least rate, sizes.
    Sharp,
    /// The best size at a rate that follows the time a frame takes; see [`Pace`](super::Pace).
    Paced,
}

/// What may change at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StepMode {
    /// Size and frame rate.
    #[default]
    Both,
    /// The size: frame rates stay that of the best rung.
    Size,
    /// The frame rate, which costs no change of caps and no key frame: sizes stay that of the best rung.
    Rate,
}

/// Why a part of a ladder cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundsError {
    /// No rung has this name.
    Unknown(String),
    /// The best rung lies below the least one: `(best, least)`.
    Crossed(String, String),
}

impl fmt::Display for BoundsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "no rung is called \"{name}\""),
            Self::Crossed(best, least) => {
                write!(
                    f,
                    "the best rung, \"{best}\", lies below the least, \"{least}\""
                )
            }
        }
    }
}

impl std::error::Error for BoundsError {}

/// The rates between which [`Preference::Paced`] moves, those of the controller that it is taken from: frames a second
/// from 25 down to 5.
const PACED: (u32, u32) = (25, 5);

impl Ladder {
    /// The rungs from `best` to `least`, both included; without a name from the first, or to the last.
    pub fn between(&self, best: Option<&str>, least: Option<&str>) -> Result<Self, BoundsError> {
        let place = |name: Option<&str>, otherwise| match name {
            Some(name) => self
                .position(name)
                .ok_or_else(|| BoundsError::Unknown(name.to_owned())),
            None => Ok(otherwise),
        };
        let (from, to) = (place(best, 0)?, place(least, self.rungs().len() - 1)?);
        match self
            .rungs()
            .get(from..=to)
            .filter(|rungs| !rungs.is_empty())
        {
            Some(rungs) => Ok(Self::of(rungs.to_vec())),
            None => Err(BoundsError::Crossed(
                self.rungs()[from].name.clone(),
                self.rungs()[to].name.clone(),
            )),
        }
    }

    /// The steps that are gone for this ladder. Each is a size of one rung at the rate of another; the first of a size
    /// bears the name of its rung, later ones with the rate behind it, as in `low@15`.
    #[must_use]
    pub fn steps(&self, preference: Preference, mode: StepMode) -> Self {
        let sizes = self.rungs();
        let mut rates: Vec<FrameRate> = sizes.iter().map(|rung| rung.rate).collect();
        let (top, best) = (&sizes[0], rates.iter().copied().fold(rates[0], Ord::max));
        rates.sort_by(|a, b| b.cmp(a));
        rates.dedup();
        let least = rates[rates.len() - 1];
        let at = |size: &Rung, rate| (size.clone(), rate);
        let steps: Vec<(Rung, FrameRate)> = match (preference, mode) {
            (Preference::Paced, _) => paced(top.rate).map(|rate| at(top, rate)).collect(),
            (_, StepMode::Size) => sizes.iter().map(|size| at(size, best)).collect(),
            (_, StepMode::Rate) => rates.iter().map(|rate| at(top, *rate)).collect(),
            (Preference::Balanced, _) => sizes.iter().map(|size| at(size, size.rate)).collect(),
            (Preference::Smooth, _) => {
                let last = &sizes[sizes.len() - 1];
                let slower = rates.iter().skip(1).map(|rate| at(last, *rate));
                sizes
                    .iter()
                    .map(|size| at(size, best))
                    .chain(slower)
                    .collect()
            }
            (Preference::Sharp, _) => {
                let smaller = sizes.iter().skip(1).map(|size| at(size, least));
                rates
                    .iter()
                    .map(|rate| at(top, *rate))
                    .chain(smaller)
                    .collect()
            }
        };
        named(steps)
    }
}

/// Whole rates one by one, from the best that `top` leaves.
fn paced(top: FrameRate) -> impl Iterator<Item = FrameRate> {
    let best = (top.as_f64() as u32).clamp(PACED.1, PACED.0);
    let rates = (PACED.1..=best).rev();
    rates.filter_map(move |rate| Some(FrameRate::new(rate, 1)?.min(top)))
}

fn named(steps: Vec<(Rung, FrameRate)>) -> Ladder {
    let mut rungs: Vec<Rung> = Vec::with_capacity(steps.len());
    for (size, rate) in steps {
        let known = rungs.iter().any(|rung| rung.name == size.name);
        let name = if known {
            format!("{}@{rate}", size.name)
        } else {
            size.name
        };
        rungs.push(Rung { name, rate, ..size });
    }
    Ladder::of(rungs)
}

#[cfg(test)]
mod tests {
    use super::super::ladder::DEFAULT_LADDER;
    use super::*;

    fn steps(preference: Preference, mode: StepMode) -> Vec<String> {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        let ladder = ladder.between(Some("high"), Some("low")).unwrap();
        let steps = ladder.steps(preference, mode);
        let text = |rung: &Rung| format!("{}={}@{}", rung.name, rung.height, rung.rate);
        steps.rungs().iter().map(text).collect()
    }

    #[test]
    fn balanced_goes_the_rungs_as_they_are_written() {
        let expected = ["high=1080@30", "medium=720@25", "low=360@20"];
        assert_eq!(steps(Preference::Balanced, StepMode::Both), expected);
    }

    #[test]
    fn smooth_gives_up_size_first_and_sharp_gives_up_rate_first() {
        let smooth = [
            "high=1080@30",
            "medium=720@30",
            "low=360@30",
            "low@25=360@25",
            "low@20=360@20",
        ];
        assert_eq!(steps(Preference::Smooth, StepMode::Both), smooth);
        let sharp = [
            "high=1080@30",
            "high@25=1080@25",
            "high@20=1080@20",
            "medium=720@20",
            "low=360@20",
        ];
        assert_eq!(steps(Preference::Sharp, StepMode::Both), sharp);
    }

    #[test]
    fn only_what_the_mode_allows_changes() {
        let size = ["high=1080@30", "medium=720@30", "low=360@30"];
        let rate = ["high=1080@30", "high@25=1080@25", "high@20=1080@20"];
        for preference in [Preference::Balanced, Preference::Smooth, Preference::Sharp] {
            assert_eq!(steps(preference, StepMode::Size), size);
            assert_eq!(steps(preference, StepMode::Rate), rate);
        }
    }

    #[test]
    fn paced_goes_every_rate_from_25_to_5() {
        let steps = steps(Preference::Paced, StepMode::Both);
        assert_eq!(steps.len(), 21);
        assert_eq!(steps[..2], ["high=1080@25", "high@24=1080@24"]);
        assert_eq!(steps[20], "high@5=1080@5");
        let slow = Ladder::parse("a=640x360@3").unwrap();
        let slow = slow.steps(Preference::Paced, StepMode::Both);
        assert_eq!(slow.names(), "a");
    }

    #[test]
    fn every_name_is_found_and_each_step_asks_for_less() {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        for preference in [Preference::Balanced, Preference::Smooth, Preference::Sharp] {
            let steps = ladder.steps(preference, StepMode::Both);
            for rung in ladder.rungs() {
                assert!(
                    steps.position(&rung.name).is_some(),
                    "{preference:?}: {}",
                    rung.name
                );
            }
            let pixels = |rung: &Rung| f64::from(rung.width * rung.height) * rung.rate.as_f64();
            assert!(
                steps.rungs().is_sorted_by(|a, b| pixels(a) > pixels(b)),
                "{preference:?}"
            );
        }
    }

    #[test]
    fn bounds_that_are_none_are_refused() {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        let all = ladder.between(None, None).unwrap();
        assert_eq!(all, ladder);
        let unknown = ladder.between(Some("best"), None).unwrap_err();
        assert_eq!(unknown, BoundsError::Unknown("best".to_owned()));
        let crossed = ladder.between(Some("low"), Some("high")).unwrap_err();
        assert_eq!(
            crossed.to_string(),
            "the best rung, \"low\", lies below the least, \"high\""
        );
        assert_eq!(
            ladder.between(Some("low"), Some("low")).unwrap().names(),
            "low"
        );
    }
}
