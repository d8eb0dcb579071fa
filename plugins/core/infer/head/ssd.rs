//! TensorFlow's detectors, with NMS inside: boxes, classes, scores, and how many there are
//! (<https://github.com/tensorflow/models/tree/master/research/object_detection>).

use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::output::{BoxNumbers, Output, Unit, WrongLength, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a box.
const BOX: usize = 4;

#[derive(Debug)]
struct Ssd {
    boxes: usize,
    classes: usize,
    scores: usize,
    /// How many of them are meant.
    count: Option<usize>,
    first_class: usize,
    numbers: BoxNumbers,
    unit: Unit,
    input: Size,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let (boxes, rows) = by_name(seen, "boxes")
        .into_iter()
        .chain(0..seen.outputs.len())
        .find_map(|at| match *take(seen.outputs, at).shape {
            [rows, BOX] => Some((at, rows)),
            _ => None,
        })?;
    let is_list = |at: &usize| *take(seen.outputs, *at).shape == [rows];
    // The order in which TensorFlow's tools put them, where they have no names.
    let mut lists = (0..seen.outputs.len()).filter(is_list);
    let (first, second) = (lists.next()?, lists.next()?);
    let classes = by_name(seen, "classes").filter(is_list).unwrap_or(first);
    let scores = by_name(seen, "scores").filter(is_list).unwrap_or(second);
    if classes == scores {
        return None;
    }
    let is_count = |output: &Output<'_>| matches!(output.shape, [] | [1]);
    let count = by_name(seen, "num_detections")
        .or_else(|| seen.position(is_count))
        .filter(|at| ![classes, scores].contains(at));
    let hints = seen.hints;
    // The names are those of the Object Detection API, which counts from 1.
    let first_class = usize::from(by_name(seen, "detection_classes").is_some());
    let reader = Ssd {
        boxes,
        classes,
        scores,
        count,
        first_class: hints.first_class.unwrap_or(first_class),
        numbers: hints.boxes.unwrap_or(BoxNumbers::CornersRowFirst),
        unit: hints.unit.unwrap_or(Unit::Inputs),
        input: seen.input,
    };
    Some(Known {
        classes: hints.classes,
        background: reader.first_class > 0,
        ..Known::of(0, reader)
    })
}

/// The number of the output with `part` in its name, other than those that TensorFlow gives beside the result.
fn by_name(seen: &Seen<'_>, part: &str) -> Option<usize> {
    seen.position(|output| {
        let is_beside = ["raw", "multiclass"]
            .iter()
            .any(|word| output.name.contains(word));
        output.name.contains(part) && !is_beside
    })
}

impl Reader for Ssd {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let boxes = take(outputs, self.boxes).rows(BOX)?;
        let rows = boxes.len() / BOX;
        let classes = take(outputs, self.classes).exactly(rows)?;
        let scores = take(outputs, self.scores).exactly(rows)?;
        let count = self.count.map(|at| take(outputs, at).data.first());
        // What is no number is as good as 0.
        let count = count.flatten().map_or(rows, |count| *count as usize);
        let (boxes, _) = boxes.as_chunks::<BOX>();
        let mut objects = objects(thresholds, found);
        let all = boxes.iter().zip(classes.iter().zip(scores)).take(count);
        for (numbers, (class, score)) in all {
            // A class that is no number is none.
            if objects.wants(*score) && *class >= self.first_class as f32 {
                let area = self.numbers.area(*numbers, self.unit, self.input);
                objects.add(area, *class as usize - self.first_class, *score);
            }
        }
        Ok(())
    }

    fn repeats_itself(&self) -> bool {
        false
    }
}
