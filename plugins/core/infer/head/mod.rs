//! What the numbers mean that a network puts out.

mod boxes_scores;
mod classification;
mod end_to_end;
mod family;
mod grid;
mod nanodet;
mod output;
mod raw;
mod ssd;
mod yolo_columns;
mod yolo_rows;
mod yolox;
mod yunet;

use std::fmt;
use std::sync::Arc;

use super::found::Found;
use super::letterbox::Size;
use super::thresholds::Thresholds;

pub use family::Family;
pub use output::{Activation, BoxNumbers, Hints, Output, Unit, WrongLength};

use output::Objects;

/// The heads that are recognised by their shapes, for the reader of an error message.
pub const SUPPORTED: &str = "YOLOX [batch,cells,5+classes], YOLOv5 [batch,3*cells,5+classes], YOLOv8/v11 \
     [batch,4+classes,cells], with NMS inside [batch,n,6], NanoDet [batch,cells,classes+32], RT-DETR \
     [batch,n,4+classes], boxes [batch,n,4] and scores [batch,n,classes] (SSD, UltraFace, DETR), TensorFlow's SSD, \
     YuNet, classification [batch,classes]; cells are those of strides 8, 16 and 32 (or 8 and 16, or 8 to 64)";

/// How to read one model's outputs.
#[derive(Clone, Debug)]
pub struct Head {
    family: Family,
    known: Known,
}

/// A head that was recognised.
#[derive(Clone, Debug)]
struct Known {
    /// Classes told apart; `None` where the outputs do not say.
    classes: Option<usize>,
    /// Whether the model had a class for nothing, which is left out here.
    background: bool,
    reader: Arc<dyn Reader>,
}

/// Buffers of a head, reused from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    best: Vec<f32>,
}

/// Makes sense of one picture's outputs.
trait Reader: fmt::Debug + Send + Sync {
    /// Adds what it finds, in pixels of the input.
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        scratch: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength>;

    /// Whether it may find one object several times.
    fn repeats_itself(&self) -> bool {
        true
    }
}

impl Known {
    fn of(classes: usize, reader: impl Reader + 'static) -> Self {
        Self {
            classes: Some(classes),
            background: false,
            reader: Arc::new(reader),
        }
    }
}

impl Head {
    /// The head whose `outputs` for a picture of the size `input` these are, or `None` where nobody knows them. Whoever
    /// knows the `family` is not misled by shapes that others have too.
    pub fn recognise(
        family: Option<Family>,
        outputs: &[Output<'_>],
        input: Size,
        hints: &Hints,
    ) -> Option<Self> {
        let look = |family: Family, is_sure: bool| {
            let seen = Seen {
                outputs,
                input,
                hints,
                is_sure,
            };
            let known = seen.look_for(family)?;
            Some(Self { family, known })
        };
        match family {
            Some(family) => look(family, true),
            None => Family::BY_SHAPE
                .into_iter()
                .find_map(|family| look(family, false)),
        }
    }

    /// The family the model belongs to.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The number of classes it tells apart; `None` where the outputs do not say.
    pub const fn classes(&self) -> Option<usize> {
        self.known.classes
    }

    /// Whether the model had a class for nothing, which has no number here.
    pub const fn has_background(&self) -> bool {
        self.known.background
    }

    /// Puts what it finds, in pixels of the input, into `found`.
    pub(super) fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        scratch: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        self.known.reader.read(outputs, thresholds, scratch, found)
    }

    /// Whether it may find one object several times.
    pub(super) fn repeats_itself(&self) -> bool {
        self.known.reader.repeats_itself()
    }
}

/// A model on first sight.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    outputs: &'a [Output<'a>],
    input: Size,
    hints: &'a Hints,
    /// Somebody said that it is of this family.
    is_sure: bool,
}

impl<'a> Seen<'a> {
    fn look_for(&self, family: Family) -> Option<Known> {
        match family {
            Family::YoloX => yolox::recognise(self),
            Family::YoloV5 => yolo_rows::recognise(self),
            Family::YoloV8 => yolo_columns::recognise(self),
            Family::YoloV8Nms => end_to_end::recognise(self),
            Family::Ssd => ssd::recognise(self).or_else(|| boxes_scores::recognise_ssd(self)),
            Family::NanoDet => nanodet::recognise(self),
            Family::UltraFace => boxes_scores::recognise_ultraface(self),
            Family::YuNet => yunet::recognise(self),
            Family::RtDetr => boxes_scores::recognise_detr(self),
            Family::Classification => classification::recognise(self),
            Family::Raw => Some(raw::known()),
        }
    }

    /// The first output of two dimensions for which `is_it` makes something of its rows and columns, and its number.
    fn matrix<T>(&self, is_it: impl Fn(usize, usize) -> Option<T>) -> Option<(usize, T)> {
        let mut outputs = self.outputs.iter().enumerate();
        outputs.find_map(|(at, output)| match *output.shape {
            [rows, columns] => Some((at, is_it(rows, columns)?)),
            _ => None,
        })
    }

    /// The number of the output for which `is_it` holds.
    fn position(&self, is_it: impl Fn(&Output<'a>) -> bool) -> Option<usize> {
        self.outputs.iter().position(is_it)
    }

    /// How many classes there are where there is room for `room`; `None` where that is too little.
    fn classes(&self, room: usize) -> Option<usize> {
        let classes = self.hints.classes.unwrap_or(room);
        (1..=room).contains(&classes).then_some(classes)
    }
}

/// Objects of `found` that `thresholds` let through.
fn objects<'a>(thresholds: &'a Thresholds, found: &'a mut Found) -> Objects<'a> {
    Objects {
        thresholds,
        found: &mut found.objects,
    }
}

#[cfg(test)]
mod tests;
