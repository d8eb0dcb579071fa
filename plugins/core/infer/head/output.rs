//! What heads read, what they are told, and where they put what they find.

use super::super::detection::{Area, Detection};
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;

/// An output of the network, one picture's part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Output<'a> {
    /// As the model calls it.
    pub name: &'a str,
    /// Without the batch.
    pub shape: &'a [usize],
    /// In row-major order.
    pub data: &'a [f32],
}

/// What the shapes of the outputs do not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// Classes told apart; further numbers of an object are left alone.
    pub classes: Option<usize>,
    /// The first class is background.
    pub background: Option<bool>,
    /// What is left to do with scores.
    pub activation: Option<Activation>,
    /// What the four numbers of a box are.
    pub boxes: Option<BoxNumbers>,
    /// What they count.
    pub unit: Option<Unit>,
    /// The number that the model gives its first class.
    pub first_class: Option<usize>,
    /// Classes reported of a picture, at most.
    pub top: Option<usize>,
}

/// From what a network puts out to 0..1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// It is that already.
    None,
    /// Each score for itself.
    Sigmoid,
    /// The scores of one object together.
    Softmax,
}

/// What the four numbers of a box are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxNumbers {
    /// Left, top, right, bottom.
    Corners,
    /// Top, left, bottom, right: the order of TensorFlow.
    CornersRowFirst,
    /// Centre and size.
    Centre,
    /// Left, top and size.
    Origin,
}

/// What the numbers of a box count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Pixels of the input.
    Pixels,
    /// Widths and heights of the input.
    Inputs,
}

/// An output is not as long as its shape was when the model was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLength {
    /// Numbers that the output consists of, or a divisor of them.
    pub expected: usize,
    /// Numbers given.
    pub actual: usize,
}

impl<'a> Output<'a> {
    /// Its numbers, if they are `expected` many.
    pub(super) fn exactly(&self, expected: usize) -> Result<&'a [f32], WrongLength> {
        let actual = self.data.len();
        if actual == expected {
            Ok(self.data)
        } else {
            Err(WrongLength { expected, actual })
        }
    }

    /// Its numbers, if they are rows of `columns`.
    pub(super) fn rows(&self, columns: usize) -> Result<&'a [f32], WrongLength> {
        let actual = self.data.len();
        if columns > 0 && actual.is_multiple_of(columns) {
            Ok(self.data)
        } else {
            let expected = columns;
            Err(WrongLength { expected, actual })
        }
    }

    /// Whether any of its numbers cannot be a probability.
    pub(super) fn is_beyond_one(&self) -> bool {
        /// What rounding adds.
        const SLACK: f32 = 1e-3;
        let outside = |number: &f32| *number < -SLACK || *number > 1.0 + SLACK;
        self.data.iter().any(outside)
    }
}

/// The output number `at`, or one of no numbers.
pub(super) fn take<'a>(outputs: &[Output<'a>], at: usize) -> Output<'a> {
    outputs.get(at).copied().unwrap_or_default()
}

impl BoxNumbers {
    /// The rectangle that `numbers` stand for.
    pub(super) fn area(self, numbers: [f32; 4], unit: Unit, input: Size) -> Area {
        let [a, b, c, d] = match unit {
            Unit::Pixels => numbers,
            Unit::Inputs => self.in_pixels(numbers, input),
        };
        match self {
            Self::Corners => corners(a, b, c, d),
            Self::CornersRowFirst => corners(b, a, d, c),
            Self::Centre => Area::around(a, b, c, d),
            Self::Origin => corners(a, b, a + c, b + d),
        }
    }

    fn in_pixels(self, [a, b, c, d]: [f32; 4], input: Size) -> [f32; 4] {
        let (width, height) = (input.width as f32, input.height as f32);
        match self {
            Self::CornersRowFirst => [a * height, b * width, c * height, d * width],
            _ => [a * width, b * height, c * width, d * height],
        }
    }
}

const fn corners(left: f32, top: f32, right: f32, bottom: f32) -> Area {
    Area {
        left,
        top,
        right,
        bottom,
    }
}

/// Where objects go that are sure enough and of a class that counts.
#[derive(Debug)]
pub(super) struct Objects<'a> {
    pub(super) thresholds: &'a Thresholds,
    pub(super) found: &'a mut Vec<Detection>,
}

impl Objects<'_> {
    /// Whether something of this confidence may be an object. What is no number is none.
    #[inline]
    pub(super) fn wants(&self, confidence: f32) -> bool {
        confidence >= self.thresholds.confidence
    }

    /// Adds an object unless it does not count or its numbers are none. A network may be surer than sure, an object not.
    pub(super) fn add(&mut self, area: Area, class: usize, score: f32) {
        let counts = self.wants(score) && self.thresholds.classes.allows(class);
        if counts && area.is_proper() && score.is_finite() {
            let confidence = score.min(1.0);
            self.found.push(Detection {
                area,
                class,
                confidence,
            });
        }
    }
}

/// The best of `scores` and its place; what is no number is never the best.
#[inline]
pub(super) fn best(scores: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    scores.iter().enumerate().fold(
        start,
        |best, (class, &score)| {
            if score > best.1 { (class, score) } else { best }
        },
    )
}

/// The logistic function.
pub(super) fn sigmoid(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// What divides the exponentials of `scores`, from which the `greatest` was taken off, in a softmax.
pub(super) fn sum_of_exponentials(scores: &[f32], greatest: f32) -> f32 {
    scores.iter().map(|score| (score - greatest).exp()).sum()
}

/// What `score`, one of `scores`, is after a softmax.
pub(super) fn softmax_of(scores: &[f32], score: f32) -> f32 {
    let (_, greatest) = best(scores);
    (score - greatest).exp() / sum_of_exponentials(scores, greatest)
}
