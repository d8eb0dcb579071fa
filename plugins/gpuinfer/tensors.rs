//! Outputs of a network that nobody here makes sense of (`decoder=raw`), as others get them.
//!
//! In the meta `livetune-inference` and in the message `livetune-detections` the field `tensors` has a structure for
//! each: `layer-name`, `precision` (`FP32`), `dims` (the first is 1, the batch), `data` (a `GstBuffer` of as many floats
//! of the machine's own byte order), `box` (the part of the frame that the network saw: left, top, right and bottom, 0
//! to 1) and `parent-id` (of the object that it is, -1 where there is none).

use std::io::Write;
use std::sync::Arc;

use gst::glib;
use livetune_core::infer::{NamedTensor, Region, Size};

use super::presenter::About;

/// How DL Streamer counts precisions: 32 bit floating point.
const GVA_FP32: i32 = 10;
/// And layouts: any.
const GVA_ANY: i32 = 0;
const BYTES: usize = size_of::<f32>();

/// An output for one picture; a copy costs nothing.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    /// As the model calls it.
    pub(super) name: Arc<str>,
    /// As the model says it for one picture.
    pub(super) dims: Arc<[usize]>,
    /// 32 bit floating point.
    pub(super) data: gst::Buffer,
    /// What of the frame the network saw.
    pub(super) region: Region,
    /// Whether that was only a part.
    pub(super) is_part: bool,
    /// The id of the object on the same frame that it is of.
    pub(super) parent: Option<i32>,
}

/// Where the network looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) region: Region,
    pub(super) is_part: bool,
    pub(super) parent: Option<i32>,
}

impl Tensor {
    /// `output`, of what is at `place`; `None` where there is no memory for it.
    pub(super) fn of(output: &NamedTensor, place: Place) -> Option<Self> {
        let mut data = gst::Buffer::with_size(output.data.len() * BYTES).ok()?;
        {
            let mut map = data.get_mut()?.map_writable().ok()?;
            let (places, _) = map.as_chunks_mut::<BYTES>();
            for (place, number) in places.iter_mut().zip(&output.data) {
                *place = number.to_ne_bytes();
            }
        }
        let Place {
            region,
            is_part,
            parent,
        } = place;
        Some(Self {
            name: output.name.as_str().into(),
            dims: [1]
                .into_iter()
                .chain(output.shape.iter().copied())
                .collect(),
            data,
            region,
            is_part,
            parent,
        })
    }

    /// As in metas and messages of a frame of the size `frame`.
    pub(super) fn structure(&self, frame: Size) -> gst::Structure {
        let (width, height) = (f64::from(frame.width), f64::from(frame.height));
        let Region { left, top, .. } = self.region;
        let (right, bottom) = (left + self.region.width, top + self.region.height);
        let edges = [
            f64::from(left) / width,
            f64::from(top) / height,
            f64::from(right) / width,
            f64::from(bottom) / height,
        ];
        gst::Structure::builder("tensor")
            .field("layer-name", &*self.name)
            .field("precision", "FP32")
            .field("dims", gst::Array::new(self.dims()))
            .field("data", &self.data)
            .field("box", gst::Array::new(edges))
            .field("parent-id", self.parent.unwrap_or(-1))
            .build()
    }

    /// As DL Streamer adds it to a region of interest.
    pub(super) fn gva_structure(&self, about: &About<'_>) -> gst::Structure {
        let bytes = self.data.map_readable();
        let bytes = bytes.as_deref().unwrap_or_default();
        // Names of structures may have neither spaces nor other signs.
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_/.:+".contains(letter);
        let starts_well = self
            .name
            .starts_with(|first: char| first.is_ascii_alphabetic());
        let name = if starts_well && self.name.chars().all(is_allowed) {
            &*self.name
        } else {
            "tensor"
        };
        gst::Structure::builder(name)
            .field("layer_name", &*self.name)
            .field("model_name", about.model)
            .field("precision", GVA_FP32)
            .field("layout", GVA_ANY)
            .field("rank", self.dims.len() as i32)
            .field("dims", gst::Array::new(self.dims()))
            .field("data_buffer", glib::Variant::array_from_fixed_array(bytes))
            .field("total_bytes", bytes.len() as i32)
            .build()
    }

    fn dims(&self) -> impl Iterator<Item = u32> + '_ {
        self.dims.iter().map(|size| *size as u32)
    }

    /// As gvametaconvert writes it, into `line`; where only a part of the frame was seen, with that part.
    pub(super) fn write_json(&self, line: &mut Vec<u8>, about: &About<'_>) {
        // Writing into memory does not fail.
        let string = |line: &mut Vec<u8>, text: &str| {
            let _ = serde_json::to_writer(line, text);
        };
        line.extend_from_slice(br#"{"precision":"FP32","layout":"ANY","dims":"#);
        let _ = serde_json::to_writer(&mut *line, &*self.dims);
        for (field, text) in [
            (&br#","name":"#[..], &*self.name),
            (br#","model_name":"#, about.model),
            (br#","layer_name":"#, &self.name),
        ] {
            line.extend_from_slice(field);
            string(line, text);
        }
        if self.is_part && self.parent.is_none() {
            let Region {
                left,
                top,
                width,
                height,
            } = self.region;
            let _ = write!(line, r#","x":{left},"y":{top},"w":{width},"h":{height}"#);
        }
        line.extend_from_slice(br#","data":["#);
        let bytes = self.data.map_readable();
        let (numbers, _) = bytes.as_deref().unwrap_or_default().as_chunks::<BYTES>();
        for (at, number) in numbers.iter().enumerate() {
            if at > 0 {
                line.push(b',');
            }
            // What is no number is null.
            let _ = serde_json::to_writer(&mut *line, &f32::from_ne_bytes(*number));
        }
        line.extend_from_slice(b"]}");
    }
}
