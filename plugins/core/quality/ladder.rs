//! The ladder as the user writes it: named rungs from the best to the least.

use std::error::Error;
use std::fmt;

use super::rate::FrameRate;

/// The five rungs of a traffic camera: from as good as it gets to just enough to see what happens.
pub const DEFAULT_LADDER: &str = "ultra-high=3840x2160@30,high=1920x1080@30,medium=1280x720@25,\
                                  low=640x360@20,ultra-low=426x240@15";

/// The largest width and height that GStreamer's scaler takes.
const MAX_SIDE: u32 = 32_767;

/// One level of quality: a box that the picture must fit in, and the most frames per second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What the user calls it; unique in its ladder.
    pub name: String,
    /// Width of the box in pixels.
    pub width: u32,
    /// Height of the box in pixels.
    pub height: u32,
    /// The most frames per second.
    pub rate: FrameRate,
}

/// Rungs from the best to the least; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Vec<Rung>);

/// Why a text is no ladder, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderError {
    /// The character that the trouble begins at, counted from 1.
    pub position: usize,
    /// What is wrong there.
    pub problem: LadderProblem,
}

/// What can be wrong with the text of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LadderProblem {
    /// There is no rung, or nothing between two commas.
    NoRung,
    /// The rung is not of the form NAME=WIDTHxHEIGHT@RATE.
    Form,
    /// This is no name: letters, digits, `-` and `_` are.
    Name(String),
    /// A rung before has this name.
    Twice(String),
    /// This is no width or height from 2 to 32767.
    Side(String),
    /// This is no frame rate: `30` and `30000/1001` are.
    Rate(String),
    /// This rung has more pixels a second than the one before it.
    Rises(String),
}

impl Ladder {
    /// Reads `high=1920x1080@30,low=640x360@15`: rungs from the best to the least, blanks allowed around each part.
    pub fn parse(text: &str) -> Result<Self, LadderError> {
        let mut rungs: Vec<Rung> = Vec::new();
        for piece in text.split(',') {
            let rung = parse_rung(text, piece)?;
            let name = rung.name.clone();
            if rungs.iter().any(|other| other.name == name) {
                return Err(error_at(text, piece, LadderProblem::Twice(name)));
            }
            let above = rungs.last();
            if above.is_some_and(|above| above.pixels_per_second() < rung.pixels_per_second()) {
                return Err(error_at(text, piece, LadderProblem::Rises(name)));
            }
            rungs.push(rung);
        }
        Ok(Self(rungs))
    }

    /// These rungs, the best first.
    pub(super) const fn of(rungs: Vec<Rung>) -> Self {
        Self(rungs)
    }

    /// The renditions of one video, or `None` where there is none: the one with the most pixels a second first.
    pub fn of_renditions(mut rungs: Vec<Rung>) -> Option<Self> {
        rungs.sort_by(|a, b| b.pixels_per_second().total_cmp(&a.pixels_per_second()));
        (!rungs.is_empty()).then_some(Self(rungs))
    }

    /// The rungs, the best first.
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }

    /// The place of the rung called `name`, 0 for the best.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|rung| rung.name == name)
    }

    /// The names of all rungs, for a person to choose from.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|rung| rung.name.as_str()).collect();
        names.join(", ")
    }
}

impl Rung {
    fn pixels_per_second(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height) * self.rate.as_f64()
    }
}

fn parse_rung(text: &str, piece: &str) -> Result<Rung, LadderError> {
    let fail = |part: &str, problem| Err(error_at(text, part, problem));
    if piece.trim().is_empty() {
        return fail(piece, LadderProblem::NoRung);
    }
    let form = || error_at(text, piece, LadderProblem::Form);
    let (name, rest) = piece.split_once('=').ok_or_else(form)?;
    let (size, rate) = rest.split_once('@').ok_or_else(form)?;
    let (width, height) = size.split_once('x').ok_or_else(form)?;
    let letters = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.trim().is_empty() || !name.trim().chars().all(letters) {
        return fail(name, LadderProblem::Name(name.trim().to_owned()));
    }
    let Some(frame_rate) = FrameRate::parse(rate.trim()) else {
        return fail(rate, LadderProblem::Rate(rate.trim().to_owned()));
    };
    Ok(Rung {
        name: name.trim().to_owned(),
        width: parse_side(text, width)?,
        height: parse_side(text, height)?,
        rate: frame_rate,
    })
}

fn parse_side(text: &str, part: &str) -> Result<u32, LadderError> {
    let side = part.trim().parse().ok();
    side.filter(|side| (2..=MAX_SIDE).contains(side))
        .ok_or_else(|| error_at(text, part, LadderProblem::Side(part.trim().to_owned())))
}

/// `part` is a slice of `text`: the error stands at its first character that is no blank.
fn error_at(text: &str, part: &str, problem: LadderProblem) -> LadderError {
    let blanks = part.len() - part.trim_start().len();
    let bytes = part.as_ptr() as usize - text.as_ptr() as usize + blanks;
    let before = text.get(..bytes).unwrap_or(text);
    LadderError {
        position: before.chars().count() + 1,
        problem,
    }
}

impl fmt::Display for LadderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: ", self.position)?;
        match &self.problem {
            LadderProblem::NoRung => write!(f, "a rung is missing, as in low=640x360@20"),
            LadderProblem::Form => {
                write!(f, "a rung is NAME=WIDTHxHEIGHT@RATE, as in low=640x360@20")
            }
            LadderProblem::Name(name) => {
                write!(f, "\"{name}\" is no name: take letters, digits, - and _")
            }
            LadderProblem::Twice(name) => write!(f, "two rungs are called \"{name}\""),
            LadderProblem::Side(side) => {
                write!(f, "\"{side}\" is no width or height from 2 to {MAX_SIDE}")
            }
            LadderProblem::Rate(rate) => {
                write!(f, "\"{rate}\" is no frame rate: 30 and 30000/1001 are")
            }
            LadderProblem::Rises(name) => write!(
                f,
                "\"{name}\" has more pixels a second than the rung before it: write the best rung first"
            ),
        }
    }
}

impl Error for LadderError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> LadderError {
        Ladder::parse(text).unwrap_err()
    }

    #[test]
    fn the_default_has_five_rungs() {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        assert_eq!(ladder.names(), "ultra-high, high, medium, low, ultra-low");
        assert_eq!(ladder.position("medium"), Some(2));
        assert_eq!(ladder.position("Medium"), None);
        let low = &ladder.rungs()[3];
        assert_eq!((low.width, low.height, low.rate.as_f64()), (640, 360, 20.0));
    }

    #[test]
    fn blanks_and_fractions_are_read() {
        let ladder = Ladder::parse(" a = 1280 x 720 @ 30000/1001 , b=640x360@15 ").unwrap();
        assert_eq!(ladder.names(), "a, b");
        assert_eq!(
            ladder.rungs()[0].rate,
            FrameRate::new(30_000, 1001).unwrap()
        );
    }

    #[test]
    fn an_error_says_where_and_what() {
        let cases = [
            ("", 1, LadderProblem::NoRung),
            ("a=4x4@1, ", 10, LadderProblem::NoRung),
            ("a=4x4@1,b", 9, LadderProblem::Form),
            ("a=4x4", 1, LadderProblem::Form),
            ("a=4@5", 1, LadderProblem::Form),
            ("a b=4x4@1", 1, LadderProblem::Name("a b".to_owned())),
            ("=4x4@1", 1, LadderProblem::Name(String::new())),
            ("a=4x4@1, a=2x2@1", 10, LadderProblem::Twice("a".to_owned())),
            ("a=4x1@1", 5, LadderProblem::Side("1".to_owned())),
            ("a=40000x4@1", 3, LadderProblem::Side("40000".to_owned())),
            ("a=4x4@0", 7, LadderProblem::Rate("0".to_owned())),
            ("ä=4x4@ -3", 8, LadderProblem::Rate("-3".to_owned())),
            ("a=4x4@1,b=8x8@1", 9, LadderProblem::Rises("b".to_owned())),
        ];
        for (text, position, problem) in cases {
            let expected = LadderError { position, problem };
            assert_eq!(failure(text), expected, "{text}");
        }
        let text = failure("a=4x4@1,b=8x?@1").to_string();
        assert_eq!(
            text,
            "at character 13: \"?\" is no width or height from 2 to 32767"
        );
    }
}
