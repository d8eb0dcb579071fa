//! Boxes in one output and scores in another, or side by side: SSD (Liu et al. 2016,
//! <https://arxiv.org/abs/1512.02325>), UltraFace
//! (<https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB>) and DETR and its kin (Zhao et al. 2023,
//! <https://arxiv.org/abs/2304.08069>).

use std::ops::Range;

use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::grid_outward;
use super::output::{
    Activation, BoxNumbers, Output, Unit, WrongLength, best, sigmoid, softmax_of, take,
};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a box.
const BOX: usize = 4;
/// Transformers tell of some hundred objects, SSDs of thousands of places.
const QUERIES: Range<usize> = 50..1000;
/// Strides of UltraFace and how many boxes it has there in each cell.
const ULTRAFACE: [(u32, usize); 4] = [(8, 3), (16, 2), (32, 2), (64, 3)];

#[derive(Debug)]
struct BoxesScores {
    boxes: Place,
    scores: Place,
    classes: usize,
    /// The place of the class for nothing.
    background: Background,
    activation: Activation,
    numbers: BoxNumbers,
    unit: Unit,
    input: Size,
    repeats_itself: bool,
}

/// Where in the outputs something is.
#[derive(Clone, Copy, Debug)]
struct Place {
    output: usize,
    /// Numbers of a row.
    columns: usize,
    /// Those of a row before it.
    skip: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Background {
    None,
    First,
    Last,
}

pub(super) fn recognise_ssd(seen: &Seen<'_>) -> Option<Known> {
    let (boxes, scores) = pair(seen)?;
    let is_first = seen.hints.background.unwrap_or(scores.columns > 1);
    let background = if is_first {
        Background::First
    } else {
        Background::None
    };
    known(seen, (boxes, scores), background, BoxNumbers::Corners)
}

pub(super) fn recognise_ultraface(seen: &Seen<'_>) -> Option<Known> {
    let (boxes, scores) = pair(seen)?;
    let places = ULTRAFACE.iter().map(|&(stride, boxes)| {
        let (columns, rows) = grid_outward(stride, seen.input);
        columns as usize * rows as usize * boxes
    });
    let rows = take(seen.outputs, boxes.output).shape.first().copied();
    if scores.columns != 2 || !seen.is_sure && rows != Some(places.sum()) {
        return None;
    }
    known(
        seen,
        (boxes, scores),
        Background::First,
        BoxNumbers::Corners,
    )
}

pub(super) fn recognise_detr(seen: &Seen<'_>) -> Option<Known> {
    let is_few = |rows: usize| seen.is_sure || QUERIES.contains(&rows);
    if let Some((boxes, scores)) = pair(seen) {
        let rows = take(seen.outputs, boxes.output).shape.first();
        if !rows.is_some_and(|rows| is_few(*rows)) {
            return None;
        }
        let background = if seen.hints.background == Some(true) {
            Background::Last
        } else {
            Background::None
        };
        return known(seen, (boxes, scores), background, BoxNumbers::Centre);
    }
    let (output, columns) =
        seen.matrix(|rows, columns| (columns > BOX && is_few(rows)).then_some(columns))?;
    let place = |skip| Place {
        output,
        columns,
        skip,
    };
    let places = (place(0), place(BOX));
    known(seen, places, Background::None, BoxNumbers::Centre)
}

/// Two outputs of as many rows, one of boxes; by name where both could be it.
fn pair(seen: &Seen<'_>) -> Option<(Place, Place)> {
    let matrices = || {
        let outputs = seen.outputs.iter().enumerate();
        outputs.filter_map(|(output, seen)| match *seen.shape {
            [rows, columns] => Some((output, rows, columns)),
            _ => None,
        })
    };
    let is_named = |output: usize| take(seen.outputs, output).name.contains("box");
    let all_boxes = || matrices().filter(|(_, _, columns)| *columns == BOX);
    let (boxes, rows, _) = all_boxes()
        .find(|(output, ..)| is_named(*output))
        .or_else(|| all_boxes().next())?;
    let (scores, _, columns) = matrices()
        .find(|(output, others, columns)| *output != boxes && *others == rows && *columns > 0)?;
    let place = |output, columns| Place {
        output,
        columns,
        skip: 0,
    };
    Some((place(boxes, BOX), place(scores, columns)))
}

fn known(
    seen: &Seen<'_>,
    (boxes, scores): (Place, Place),
    background: Background,
    numbers: BoxNumbers,
) -> Option<Known> {
    let hints = seen.hints;
    let is_detr = numbers == BoxNumbers::Centre;
    let spare = usize::from(background != Background::None);
    let classes = seen.classes((scores.columns - scores.skip).checked_sub(spare)?)?;
    let unit = if take(seen.outputs, boxes.output).is_far_out(boxes) {
        Unit::Pixels
    } else {
        Unit::Inputs
    };
    let activation = match (
        scores.skip,
        take(seen.outputs, scores.output).is_beyond_one(),
    ) {
        (0, true) if is_detr && background == Background::None => Activation::Sigmoid,
        (0, true) => Activation::Softmax,
        _ => Activation::None,
    };
    let reader = BoxesScores {
        boxes,
        scores,
        classes,
        background,
        activation: hints.activation.unwrap_or(activation),
        numbers: hints.boxes.unwrap_or(numbers),
        unit: hints.unit.unwrap_or(unit),
        input: seen.input,
        repeats_itself: !is_detr,
    };
    Some(Known {
        background: background == Background::First,
        ..Known::of(classes, reader)
    })
}

impl Output<'_> {
    /// Whether the boxes at `place` cannot be in widths and heights of the input.
    fn is_far_out(&self, place: Place) -> bool {
        /// Boxes reach over the edges, and not by a whole picture.
        const FAR: f32 = 4.0;
        let mut rows = self.data.chunks_exact(place.columns.max(1));
        rows.any(|row| row.iter().take(BOX).any(|number| *number > FAR))
    }
}

impl BoxesScores {
    /// The class of `scores` and how sure it is.
    fn judge(&self, scores: &[f32]) -> (usize, f32) {
        let first = usize::from(self.background == Background::First);
        let (class, score) = best(&scores[first..first + self.classes]);
        let score = match self.activation {
            Activation::None => score,
            Activation::Sigmoid => sigmoid(score),
            Activation::Softmax => softmax_of(scores, score),
        };
        (class, score)
    }
}

impl Reader for BoxesScores {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let boxes = take(outputs, self.boxes.output).rows(self.boxes.columns)?;
        let rows = boxes.len() / self.boxes.columns;
        let scores = take(outputs, self.scores.output).exactly(rows * self.scores.columns)?;
        let mut objects = objects(thresholds, found);
        let boxes = boxes.chunks_exact(self.boxes.columns);
        for (numbers, scores) in boxes.zip(scores.chunks_exact(self.scores.columns)) {
            let (class, score) = self.judge(&scores[self.scores.skip..]);
            if !objects.wants(score) {
                continue;
            }
            let &[a, b, c, d, ..] = numbers else {
                continue;
            };
            let area = self.numbers.area([a, b, c, d], self.unit, self.input);
            objects.add(area, class, score);
        }
        Ok(())
    }

    fn repeats_itself(&self) -> bool {
        self.repeats_itself
    }
}
