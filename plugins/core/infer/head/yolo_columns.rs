//! YOLOv8 to v12 as exported by Ultralytics without NMS (<https://docs.ultralytics.com/modes/export>): one row per
//! number, one column per box; or turned round, where somebody says so.

use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::{Strides, USUAL, cells, grid};
use super::output::{BoxNumbers, Output, Unit, WrongLength, best, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a box before its classes.
const HEAD: usize = 4;

#[derive(Debug)]
struct Columns {
    at: usize,
    boxes: usize,
    numbers: usize,
    classes: usize,
    /// A row per box.
    is_turned: bool,
    unit: Unit,
    input: Size,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let input = seen.input;
    let (at, (numbers, boxes)) = seen.matrix(|rows, columns| {
        let fits = |strides: &Strides| cells(strides, input, grid) == columns;
        let is_long = seen.is_sure && rows.max(columns) > HEAD;
        let fits = is_long || columns > 0 && USUAL.iter().any(fits);
        (fits && rows > HEAD).then_some((rows, columns))
    })?;
    // There are more boxes than numbers of a box.
    let is_turned = numbers > boxes;
    let (numbers, boxes) = (numbers.min(boxes), numbers.max(boxes));
    let room = numbers.checked_sub(HEAD + masks(seen))?;
    let classes = seen.classes(room)?;
    Some(Known::of(
        classes,
        Columns {
            at,
            boxes,
            numbers,
            classes,
            is_turned,
            unit: seen.hints.unit.unwrap_or(Unit::Pixels),
            input,
        },
    ))
}

/// Numbers per box that mix its mask, where the model draws masks: as many as its second output has planes.
fn masks(seen: &Seen<'_>) -> usize {
    let planes = seen.outputs.iter().find_map(|output| match *output.shape {
        [planes, _, _] => Some(planes),
        _ => None,
    });
    planes.unwrap_or(0)
}

impl Columns {
    fn read_turned(&self, data: &[f32], thresholds: &Thresholds, found: &mut Found) {
        let mut objects = objects(thresholds, found);
        for row in data.chunks_exact(self.numbers) {
            let &[x, y, width, height, ref scores @ ..] = row else {
                continue;
            };
            let (class, score) = best(&scores[..self.classes]);
            let numbers = [x, y, width, height];
            let area = BoxNumbers::Centre.area(numbers, self.unit, self.input);
            objects.add(area, class, score);
        }
    }
}

impl Reader for Columns {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        scratch: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let data = take(outputs, self.at).exactly(self.boxes * self.numbers)?;
        if self.is_turned {
            self.read_turned(data, thresholds, found);
            return Ok(());
        }
        let (geometry, scores) = data.split_at(HEAD * self.boxes);
        let scores = &scores[..self.classes * self.boxes];
        greatest(scores, self.boxes, &mut scratch.best);
        let mut objects = objects(thresholds, found);
        for (at, &score) in scratch.best.iter().enumerate() {
            if !objects.wants(score) {
                continue;
            }
            let number = |row: usize| geometry[row * self.boxes + at];
            let numbers = [number(0), number(1), number(2), number(3)];
            let area = BoxNumbers::Centre.area(numbers, self.unit, self.input);
            let mut rows = scores.chunks_exact(self.boxes);
            let class = rows.position(|row| row[at] == score).unwrap_or(0);
            objects.add(area, class, score);
        }
        Ok(())
    }
}

/// The greatest number of each column of `rows`, which are as long as there are `columns`. Classes are looked for later,
/// where it pays: this way it is one vector instruction for several columns.
fn greatest(rows: &[f32], columns: usize, greatest: &mut Vec<f32>) {
    greatest.clear();
    greatest.resize(columns, f32::NEG_INFINITY);
    for row in rows.chunks_exact(columns) {
        for (greatest, &number) in greatest.iter_mut().zip(row) {
            // Written this way round, what is no number is not taken.
            *greatest = if number > *greatest {
                number
            } else {
                *greatest
            };
        }
    }
}
