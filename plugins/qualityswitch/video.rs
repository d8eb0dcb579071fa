//! Caps, read for their size and rate, and written for the size of a rung.

use gst_video::{VideoInfo, VideoInterlaceMode};
use livetune_core::quality::{Fitted, FrameRate, InputVideo};

/// What `caps` say of the video that comes in; `None` where no frame of it may be dropped or scaled: it is unknown, or
/// fields come in buffers of their own.
pub(super) fn input_of(caps: &gst::CapsRef) -> Option<InputVideo> {
    let info = VideoInfo::from_caps(caps).ok()?;
    if info.interlace_mode() == VideoInterlaceMode::Alternate {
        return None;
    }
    let (pixel_aspect, rate) = (info.par(), info.fps());
    Some(InputVideo {
        width: info.width(),
        height: info.height(),
        pixel_aspect: (
            positive(pixel_aspect.numer()),
            positive(pixel_aspect.denom()),
        ),
        rate: FrameRate::new(positive(rate.numer()), positive(rate.denom())),
        scalable: in_system_memory(caps),
    })
}

/// Whether video of `caps` can be scaled.
pub(super) fn scalable(caps: &gst::CapsRef) -> bool {
    input_of(caps).is_some_and(|input| input.scalable)
}

/// The video that can come in where only `output` can go out, as far as `filter` asks for it: first what goes out
/// unscaled, then what can be scaled to it.
pub(super) fn taken_for(output: &gst::CapsRef, filter: Option<&gst::CapsRef>) -> gst::Caps {
    let video = gst::Caps::builder("video/x-raw").any_features().build();
    let mut taken = video.intersect_with_mode(output, gst::CapsIntersectMode::First);
    let mut scaled = gst::Caps::new_empty();
    let system = gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY.as_ref();
    for (structure, features) in taken.iter_with_features() {
        if features.is_any() || features.is_equal(system) {
            let mut structure = structure.to_owned();
            structure.remove_fields(["width", "height", "pixel-aspect-ratio"]);
            scaled.make_mut().append_structure(structure);
        }
    }
    taken.merge(scaled);
    match filter {
        Some(filter) => filter.intersect_with_mode(&taken, gst::CapsIntersectMode::First),
        None => taken,
    }
}

/// Whether a scaler that reads system memory can work on it.
fn in_system_memory(caps: &gst::CapsRef) -> bool {
    let features = caps.features(0);
    features
        .is_some_and(|features| features.is_equal(gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY.as_ref()))
}

fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Any video at all: nothing is asked of the scaler.
pub(super) fn any() -> gst::Caps {
    gst::Caps::new_any()
}

/// Only video of the size of `rung`, in pixels of the shape that `input` says.
pub(super) fn of_rung(rung: &Fitted, input: &gst::CapsRef) -> gst::Caps {
    let caps = gst::Caps::builder("video/x-raw")
        .field("width", rung.width as i32)
        .field("height", rung.height as i32);
    let pixel_aspect = pixel_aspect_of(input);
    match (pixel_aspect, rung.full_size) {
        (Some(pixel_aspect), _) => caps.field("pixel-aspect-ratio", pixel_aspect).build(),
        // Without the field here, caps in and out are the same and frames are not copied.
        (None, true) => caps.build(),
        (None, false) => caps
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .build(),
    }
}

/// The caps that the scaler makes of `input` for `rung`, as far as a neighbour may refuse them.
pub(super) fn offered(rung: &Fitted, input: &gst::CapsRef) -> gst::Caps {
    let mut caps = of_rung(rung, input);
    let Some(given) = input.structure(0) else {
        return caps;
    };
    for field in ["format", "framerate", "interlace-mode"] {
        if let Ok(value) = given.value(field) {
            caps.make_mut().set_value(field, value.clone());
        }
    }
    caps
}

fn pixel_aspect_of(caps: &gst::CapsRef) -> Option<gst::Fraction> {
    caps.structure(0)?.get("pixel-aspect-ratio").ok()
}
