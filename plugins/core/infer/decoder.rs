//! From the network's outputs to what is in the frame.

use super::found::Found;
use super::head::{Head, Output, Scratch, WrongLength};
use super::letterbox::Letterbox;
use super::nms::{sort, suppress};
use super::thresholds::Thresholds;

/// Reads one model's outputs. Its buffers live as long as it does: no allocation per frame once they have grown.
#[derive(Debug)]
pub struct Decoder {
    head: Head,
    scratch: Scratch,
}

impl Decoder {
    /// A decoder for models with this `head`.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            scratch: Scratch::default(),
        }
    }

    /// What it decodes.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// What `outputs` tell of the picture that `letterbox` put in, into `found`, which is emptied before.
    pub fn decode(
        &mut self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        letterbox: &Letterbox,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        found.clear();
        self.head
            .read(outputs, thresholds, &mut self.scratch, found)?;
        let objects = &mut found.objects;
        if self.head.repeats_itself() {
            suppress(objects, thresholds);
        } else {
            sort(objects);
            objects.truncate(thresholds.max_objects);
        }
        for object in &mut *objects {
            object.area = letterbox.to_frame(&object.area);
        }
        // A box in the padding has nothing left.
        objects.retain(|object| object.area.is_proper());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::detection::{Area, Detection};
    use crate::infer::head::{Family, Hints};
    use crate::infer::letterbox::Size;
    use crate::infer::thresholds::{ClassFilter, MAX_OBJECTS};

    const ANCHORS: usize = 84;

    fn decode(
        decoder: &mut Decoder,
        output: &[f32],
        thresholds: &Thresholds,
        letterbox: &Letterbox,
    ) -> Vec<Detection> {
        let mut found = Found::default();
        found.objects.push(Detection::default());
        let data = output;
        let output = Output {
            data,
            ..Output::default()
        };
        decoder
            .decode(&[output], thresholds, letterbox, &mut found)
            .expect("decoded");
        found.objects
    }

    fn head(shape: &[usize], input: Size) -> Head {
        let output = Output {
            shape,
            ..Output::default()
        };
        Head::recognise(None, &[output], input, &Hints::default()).expect("known shape")
    }

    fn decoder() -> (Decoder, Letterbox) {
        let input = Size::new(64, 64);
        let head = head(&[6, ANCHORS], input);
        assert_eq!(head.family(), Family::YoloV8);
        let letterbox = Letterbox::new(Size::new(640, 320), input, head.family().placement());
        (Decoder::new(head), letterbox)
    }

    fn put(output: &mut [f32], at: usize, numbers: [f32; 6]) {
        for (row, number) in numbers.into_iter().enumerate() {
            output[row * ANCHORS + at] = number;
        }
    }

    #[test]
    fn objects_come_back_in_pixels_of_the_frame() {
        let (mut decoder, letterbox) = decoder();
        let mut output = vec![0.0; ANCHORS * 6];
        put(&mut output, 3, [32.0, 32.0, 10.0, 10.0, 0.9, 0.0]);
        put(&mut output, 4, [33.0, 32.0, 10.0, 10.0, 0.8, 0.0]);
        put(&mut output, 5, [10.0, 5.0, 10.0, 10.0, 0.0, 0.7]);
        let all = Thresholds::default();
        let found = decode(&mut decoder, &output, &all, &letterbox);
        let expected = Detection {
            area: Area::around(320.0, 160.0, 100.0, 100.0),
            class: 0,
            confidence: 0.9,
        };
        assert_eq!(found, [expected], "one hidden, one in the padding");
    }

    #[test]
    fn classes_that_do_not_count_hide_nothing() {
        let (mut decoder, letterbox) = decoder();
        let mut output = vec![0.0; ANCHORS * 6];
        put(&mut output, 3, [32.0, 32.0, 10.0, 10.0, 0.9, 0.0]);
        put(&mut output, 4, [33.0, 32.0, 10.0, 10.0, 0.0, 0.8]);
        let second = Thresholds {
            across_classes: true,
            classes: ClassFilter::only(&[1]),
            ..Thresholds::default()
        };
        let found = decode(&mut decoder, &output, &second, &letterbox);
        let classes: Vec<usize> = found.iter().map(|object| object.class).collect();
        assert_eq!(classes, [1]);
    }

    #[test]
    fn a_frame_full_of_objects_is_cut_at_the_limit() {
        let input = Size::new(416, 416);
        let head = head(&[5, 3549], input);
        let letterbox = Letterbox::new(input, input, head.family().placement());
        let mut output = vec![1.0; 3549 * 5];
        for at in 0..3549 {
            output[at] = (at % 400) as f32;
            output[3549 + at] = (at / 400) as f32 * 20.0;
            output[2 * 3549 + at] = 0.5;
            output[3 * 3549 + at] = 0.5;
        }
        let mut decoder = Decoder::new(head);
        let all = Thresholds::default();
        let found = decode(&mut decoder, &output, &all, &letterbox);
        assert_eq!(found.len(), MAX_OBJECTS);
        let few = Thresholds {
            max_objects: 7,
            ..all
        };
        let found = decode(&mut decoder, &output, &few, &letterbox);
        assert_eq!(found.len(), 7);
    }
}
