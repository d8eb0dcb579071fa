//! The truth: when each frame came and went, known by a number on the frame itself.
#![expect(
    clippy::disallowed_methods,
    reason = "the plugin's own lock is not for programs"
)]

use std::sync::{Arc, Mutex, Once, PoisonError};

use gst::prelude::*;

use super::samples::Summary;

/// Our own meta, without tags: it goes wherever the frame goes.
const META: &str = "LiveTuneBenchFrame";
const NUMBER: &str = "number";

/// When each frame first came to a pad, in nanoseconds of the monotonic clock.
#[derive(Clone, Default)]
pub struct Passages(Arc<Mutex<Vec<Option<u64>>>>);

impl Passages {
    /// Notes the frames that come to `pad` (`element.pad`) of `pipeline`.
    pub fn watch(pipeline: &gst::Pipeline, pad: &str) -> Self {
        Self::watch_pad(&find(pipeline, pad))
    }

    /// Notes the frames that come to `pad`.
    pub fn watch_pad(pad: &gst::Pad) -> Self {
        let passages = Self::default();
        let noted = passages.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let now = gst::get_timestamp().nseconds();
            if let Some(number) = info.buffer().and_then(|buffer| number(buffer)) {
                noted.note(number, now);
            }
            gst::PadProbeReturn::Ok
        });
        passages
    }

    fn note(&self, number: u64, now: u64) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(number).unwrap();
        if times.len() <= index {
            times.resize(index + 1, None);
        }
        times[index].get_or_insert(now);
    }

    /// How long the frames took from here to `end`.
    pub fn to(&self, end: &Self) -> Summary {
        let start = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = end.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = start.iter().zip(end.iter());
        Summary::of(
            pairs
                .filter_map(|(start, end)| Some((*end)? - (*start)?))
                .collect(),
        )
    }
}

/// Numbers the frames that leave `pad`.
pub fn number_frames(pipeline: &gst::Pipeline, pad: &str) {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| gst::meta::CustomMeta::register(META, &[]));
    let next = Mutex::new(0u64);
    find(pipeline, pad).add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = info.buffer_mut().unwrap().make_mut();
        let mut meta = gst::meta::CustomMeta::add(buffer, META).unwrap();
        meta.mut_structure().set(NUMBER, *next);
        *next += 1;
        gst::PadProbeReturn::Ok
    });
}

fn number(buffer: &gst::BufferRef) -> Option<u64> {
    let meta = gst::meta::CustomMeta::from_buffer(buffer, META).ok()?;
    meta.structure().get(NUMBER).ok()
}

/// The pad `name` (`element.pad`) of `pipeline`.
pub fn find(pipeline: &gst::Pipeline, name: &str) -> gst::Pad {
    let (element, pad) = name.split_once('.').unwrap();
    let element = pipeline.by_name(element).unwrap();
    element.static_pad(pad).unwrap()
}
