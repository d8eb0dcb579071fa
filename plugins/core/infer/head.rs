//! What the numbers mean that a detector's last layer puts out.

use super::detection::{Area, Detection};
use super::letterbox::{Placement, Size};
use super::tensor::{ChannelOrder, Normalisation};

/// The heads that [`Head::from_output_shape`] knows, for the reader of an error message.
pub const SUPPORTED: &str = "one output, YOLOX [1, anchors, 5 + classes] or YOLOv8/v11 [1, 4 + classes, anchors], \
     anchors being the cells of strides 8, 16 and 32 (or 8 and 16, or 8 to 64)";

/// Distances in pixels between the cells of each grid, finest first.
const STRIDES: [&[u32]; 3] = [&[8, 16, 32], &[8, 16], &[8, 16, 32, 64]];

/// A family of detectors that shares the meaning of the output and the form of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Megvii's: centre relative to its cell, logarithm of the size, objectness, classes.
    YoloX,
    /// Ultralytics' since version 8: centre and size in pixels of the input, classes; one row per number.
    YoloV8,
}

/// How to read one model's output.
#[derive(Clone, Debug)]
pub struct Head {
    family: Family,
    classes: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    column: f32,
    row: f32,
    stride: f32,
}

/// The output is not as long as its shape was when the model was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLength {
    /// Numbers that the head consists of.
    pub expected: usize,
    /// Numbers given.
    pub actual: usize,
}

/// Best class of each cell, reused from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    score: Vec<f32>,
    class: Vec<u32>,
}

impl Head {
    /// The head whose output for pictures of the size `input` has this `shape`, or `None` where none has.
    pub fn from_output_shape(shape: &[usize], input: Size) -> Option<Self> {
        let &[1, rows, columns] = shape else {
            return None;
        };
        STRIDES.iter().find_map(|strides| {
            let anchors = anchors(strides, input);
            if anchors == 0 {
                return None;
            }
            let (family, classes) = if rows == anchors && columns > 5 {
                (Family::YoloX, columns - 5)
            } else if columns == anchors && rows > 4 {
                (Family::YoloV8, rows - 4)
            } else {
                return None;
            };
            let cells = match family {
                Family::YoloX => cells(strides, input),
                Family::YoloV8 => vec![Cell::WHOLE; anchors],
            };
            Some(Self {
                family,
                classes,
                cells,
            })
        })
    }

    /// The family the model belongs to.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The number of classes it tells apart.
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// Where the frame goes in the input.
    pub const fn placement(&self) -> Placement {
        match self.family {
            Family::YoloX => Placement::TopLeft,
            Family::YoloV8 => Placement::Centred,
        }
    }

    /// How pixels become numbers.
    pub const fn normalisation(&self) -> Normalisation {
        let (order, scale) = match self.family {
            Family::YoloX => (ChannelOrder::Bgr, 1.0),
            Family::YoloV8 => (ChannelOrder::Rgb, 1.0 / 255.0),
        };
        Normalisation {
            scale: [scale; 3],
            // Grey around the frame: both families were trained with 114.
            padding: 114,
            ..Normalisation::plain(order)
        }
    }

    /// Adds to `found` what `output` is at least `confidence` sure of, in pixels of the input.
    pub(super) fn read(
        &self,
        output: &[f32],
        confidence: f32,
        scratch: &mut Scratch,
        found: &mut Vec<Detection>,
    ) -> Result<(), WrongLength> {
        let per_cell = match self.family {
            Family::YoloX => self.classes + 5,
            Family::YoloV8 => self.classes + 4,
        };
        let expected = self.cells.len() * per_cell;
        if output.len() != expected {
            let actual = output.len();
            return Err(WrongLength { expected, actual });
        }
        match self.family {
            Family::YoloX => self.read_yolox(output, confidence, found),
            Family::YoloV8 => self.read_yolov8(output, confidence, scratch, found),
        }
        Ok(())
    }

    fn read_yolox(&self, output: &[f32], confidence: f32, found: &mut Vec<Detection>) {
        for (cell, row) in self.cells.iter().zip(output.chunks_exact(self.classes + 5)) {
            let &[x, y, width, height, objectness, ref scores @ ..] = row else {
                continue;
            };
            // No class score is above 1: most cells end here. A score that is no number passes no comparison.
            if !at_least(objectness, confidence) {
                continue;
            }
            let (class, score) = best(scores);
            let confidence_here = objectness * score;
            let area = Area::around(
                (x + cell.column) * cell.stride,
                (y + cell.row) * cell.stride,
                width.exp() * cell.stride,
                height.exp() * cell.stride,
            );
            if at_least(confidence_here, confidence) {
                add(found, area, class, confidence_here);
            }
        }
    }

    fn read_yolov8(
        &self,
        output: &[f32],
        confidence: f32,
        scratch: &mut Scratch,
        found: &mut Vec<Detection>,
    ) {
        let anchors = self.cells.len();
        let (geometry, scores) = output.split_at(4 * anchors);
        scratch.score.clear();
        scratch.score.resize(anchors, f32::NEG_INFINITY);
        scratch.class.clear();
        scratch.class.resize(anchors, 0);
        for (class, row) in (0_u32..).zip(scores.chunks_exact(anchors)) {
            let best = scratch.score.iter_mut().zip(&mut scratch.class);
            for ((score, best_class), &candidate) in best.zip(row) {
                if candidate > *score {
                    *score = candidate;
                    *best_class = class;
                }
            }
        }
        for (at, (&score, &class)) in scratch.score.iter().zip(&scratch.class).enumerate() {
            if !at_least(score, confidence) {
                continue;
            }
            let number = |row: usize| geometry[row * anchors + at];
            let area = Area::around(number(0), number(1), number(2), number(3));
            add(found, area, class as usize, score);
        }
    }
}

impl Cell {
    /// For heads whose boxes are in pixels of the input already.
    const WHOLE: Self = Self {
        column: 0.0,
        row: 0.0,
        stride: 1.0,
    };
}

/// Adds an object to `found` unless its numbers are none. A network may be surer than sure, an object not.
fn add(found: &mut Vec<Detection>, area: Area, class: usize, score: f32) {
    if area.is_proper() && score.is_finite() {
        let confidence = score.min(1.0);
        found.push(Detection {
            area,
            class,
            confidence,
        });
    }
}

/// False for what is no number.
fn at_least(score: f32, confidence: f32) -> bool {
    score >= confidence
}

fn best(scores: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    scores.iter().enumerate().fold(
        start,
        |best, (class, &score)| {
            if score > best.1 { (class, score) } else { best }
        },
    )
}

fn grid(stride: u32, input: Size) -> (u32, u32) {
    (input.width / stride, input.height / stride)
}

fn anchors(strides: &[u32], input: Size) -> usize {
    let cells = strides.iter().map(|&stride| {
        let (columns, rows) = grid(stride, input);
        columns as usize * rows as usize
    });
    cells.sum()
}

fn cells(strides: &[u32], input: Size) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(anchors(strides, input));
    for &stride in strides {
        let (columns, rows) = grid(stride, input);
        for row in 0..rows {
            cells.extend((0..columns).map(|column| Cell {
                column: column as f32,
                row: row as f32,
                stride: stride as f32,
            }));
        }
    }
    cells
}

#[cfg(test)]
mod tests;
