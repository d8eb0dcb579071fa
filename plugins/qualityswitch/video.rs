//! Caps, read for their size and rate, and written for the size of a rung.

use gst_video::{VideoInfo, VideoInterlaceMode};
use livetune_core::quality::{Fitted, FrameRate, InputVideo};

/// What `caps` say of the video that comes in, which a scaler takes or not; `None` where no frame of it may be dropped or scaled: it is unknown, or
/// fields come in buffers of their own.
pub(super) fn input_of(caps: &gst::CapsRef, scalable: bool) -> Option<InputVideo> {
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
        scalable,
    })
}

/// The video of a rendition whose caps these are.
pub(super) fn rendition_of(caps: &gst::CapsRef) -> Option<InputVideo> {
    let given = caps.structure(0)?;
    let side = |field| given.get::<i32>(field).ok().map(positive);
    let fraction = |field| given.get::<gst::Fraction>(field).ok();
    let pixel_aspect = fraction("pixel-aspect-ratio").unwrap_or(gst::Fraction::new(1, 1));
    let rate = fraction("framerate");
    Some(InputVideo {
        width: side("width").filter(|side| *side > 0)?,
        height: side("height").filter(|side| *side > 0)?,
        pixel_aspect: (
            positive(pixel_aspect.numer()),
            positive(pixel_aspect.denom()),
        ),
        rate: rate.and_then(|rate| FrameRate::new(positive(rate.numer()), positive(rate.denom()))),
        scalable: true,
    })
}

/// Whether frames of `caps` can be scaled, by what `scales` answers for their memory.
pub(super) fn scaled(caps: &gst::CapsRef, scales: impl Fn(&gst::CapsFeaturesRef) -> bool) -> bool {
    let scalable = caps.features(0).is_some_and(scales);
    input_of(caps, scalable).is_some_and(|input| input.scalable)
}

/// The video that can come in where only `output` can go out, as far as `filter` asks for it: first what goes out
/// unscaled, then what can be scaled to it: what has features that `scales` answers for.
pub(super) fn taken_for(
    output: &gst::CapsRef,
    filter: Option<&gst::CapsRef>,
    scales: impl Fn(&gst::CapsFeaturesRef) -> bool,
) -> gst::Caps {
    let video = gst::Caps::builder("video/x-raw").any_features().build();
    let mut taken = video.intersect_with_mode(output, gst::CapsIntersectMode::First);
    let mut scaled = gst::Caps::new_empty();
    for (structure, features) in taken.iter_with_features() {
        let system = || gst::CapsFeatures::new([gst::CAPS_FEATURE_MEMORY_SYSTEM_MEMORY]);
        let any = features.is_any();
        if any || scales(features) {
            let features = if any { system() } else { features.to_owned() };
            let mut structure = structure.to_owned();
            structure.remove_fields(["width", "height", "pixel-aspect-ratio"]);
            scaled
                .make_mut()
                .append_structure_full(structure, Some(features));
        }
    }
    taken.merge(scaled);
    match filter {
        Some(filter) => filter.intersect_with_mode(&taken, gst::CapsIntersectMode::First),
        None => taken,
    }
}

fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Any video at all: nothing is asked of the scaler.
pub(super) fn any() -> gst::Caps {
    gst::Caps::new_any()
}

/// Only video of the size of `rung`, in the memory and pixels of the shape that `input` says.
pub(super) fn of_rung(rung: &Fitted, input: &gst::CapsRef) -> gst::Caps {
    let mut caps = of_size(rung, input);
    if let Some(features) = input.features(0) {
        caps.make_mut().set_features(0, Some(features.to_owned()));
    }
    caps
}

fn of_size(rung: &Fitted, input: &gst::CapsRef) -> gst::Caps {
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
