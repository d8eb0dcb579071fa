//! Detectors with everything inside: Ultralytics' exports with `nms=True`, YOLOv10, YOLO26
//! (<https://docs.ultralytics.com/modes/export>). One row per object: corners, confidence, class.

use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::output::{BoxNumbers, Output, Unit, WrongLength, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a row; those of masks and landmarks come behind them.
const NUMBERS: usize = 6;

#[derive(Debug)]
struct EndToEnd {
    at: usize,
    columns: usize,
    boxes: BoxNumbers,
    unit: Unit,
    input: Size,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let (at, columns) = seen.matrix(|_, columns| {
        let fits = columns == NUMBERS || seen.is_sure && columns > NUMBERS;
        fits.then_some(columns)
    })?;
    let hints = seen.hints;
    let reader = EndToEnd {
        at,
        columns,
        boxes: hints.boxes.unwrap_or(BoxNumbers::Corners),
        unit: hints.unit.unwrap_or(Unit::Pixels),
        input: seen.input,
    };
    Some(Known {
        classes: hints.classes,
        ..Known::of(0, reader)
    })
}

impl Reader for EndToEnd {
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
            let &[a, b, c, d, confidence, class, ..] = row else {
                continue;
            };
            // A class that is no number is none.
            if objects.wants(confidence) && class >= 0.0 {
                let area = self.boxes.area([a, b, c, d], self.unit, self.input);
                objects.add(area, class as usize, confidence);
            }
        }
        Ok(())
    }

    fn repeats_itself(&self) -> bool {
        false
    }
}
