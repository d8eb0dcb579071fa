//! YOLOv5 (<https://github.com/ultralytics/yolov5>) and YOLOv7, decoded by the export: one row per box.

use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::{Strides, USUAL, cells, grid};
use super::output::{BoxNumbers, Output, Unit, WrongLength, best, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a row before its classes.
const HEAD: usize = 5;
/// Boxes that each cell has.
const ANCHORS: usize = 3;

#[derive(Debug)]
struct Rows {
    at: usize,
    columns: usize,
    classes: usize,
    unit: Unit,
    input: Size,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let input = seen.input;
    let (at, columns) = seen.matrix(|rows, columns| {
        let fits = |strides: &Strides| cells(strides, input, grid) * ANCHORS == rows;
        let fits = seen.is_sure || rows > 0 && USUAL.iter().any(fits);
        (fits && columns > HEAD).then_some(columns)
    })?;
    let classes = seen.classes(columns - HEAD)?;
    Some(Known::of(
        classes,
        Rows {
            at,
            columns,
            classes,
            unit: seen.hints.unit.unwrap_or(Unit::Pixels),
            input,
        },
    ))
}

impl Reader for Rows {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let data = take(outputs, self.at).rows(self.columns)?;
        let mut objects = objects(thresholds, found);
        for row in data.chunks_exact(self.columns) {
            let &[x, y, width, height, objectness, ref scores @ ..] = row else {
                continue;
            };
            if !objects.wants(objectness) {
                continue;
            }
            let (class, score) = best(&scores[..self.classes]);
            let numbers = [x, y, width, height];
            let area = BoxNumbers::Centre.area(numbers, self.unit, self.input);
            objects.add(area, class, objectness * score);
        }
        Ok(())
    }
}
