//! The objects on a frame, as the metas of whoever found them tell.

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::{Area, Region, Size};

use crate::gpuinfer::meta::Analytics;

/// An object that the second stage looks into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parent {
    pub(super) id: i32,
    /// `None` where it is not tracked.
    pub(super) track: Option<u64>,
    pub(super) rect: Region,
    /// The same in pixels that need not be whole.
    pub(super) area: Area,
    /// Which of the regions that the network sees is it.
    pub(super) region: Option<usize>,
}

/// Writes the objects of `buffer`, a frame of the size `frame`, that have one of these `labels`, or any where there
/// is none, to `parents`. `GstAnalytics` metas first, which converters keep up best; regions of interest else.
pub(super) fn read(
    buffer: &gst::BufferRef,
    frame: Size,
    labels: &[String],
    parents: &mut Vec<Parent>,
) {
    parents.clear();
    let is_wanted = |label: &str| labels.is_empty() || labels.iter().any(|wanted| wanted == label);
    let mut any = false;
    if let Ok(analytics) = Analytics::get() {
        analytics.read(buffer, |seen| {
            any = true;
            if is_wanted(seen.label.map_or("", |label| label.as_str())) {
                parents.extend(parent(seen.id, seen.track, seen.rect, frame));
            }
        });
    }
    if any {
        return;
    }
    for meta in buffer.iter_meta::<VideoRegionOfInterestMeta>() {
        // What a classifier said of the whole frame is no object.
        let is_whole = meta.param("detection").is_none() && meta.param("classification").is_some();
        if is_whole || !is_wanted(meta.roi_type()) {
            continue;
        }
        let track = meta
            .param("object_id")
            .and_then(|id| id.get::<i32>("id").ok());
        let track = track.and_then(|id| u64::try_from(id).ok());
        let (x, y, w, h) = meta.rect();
        let signed = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        let rect = (signed(x), signed(y), signed(w), signed(h));
        parents.extend(parent(meta.id(), track, rect, frame));
    }
}

/// `None` where nothing of it is in the frame.
fn parent(
    id: i32,
    track: Option<u64>,
    (x, y, width, height): (i32, i32, i32, i32),
    frame: Size,
) -> Option<Parent> {
    let cut = |start: i32, length: i32, limit: u32| {
        let end = i64::from(start) + i64::from(length);
        let start = i64::from(start).clamp(0, i64::from(limit)) as u32;
        let end = end.clamp(0, i64::from(limit)) as u32;
        (end > start).then(|| (start, end - start))
    };
    let (left, width) = cut(x, width, frame.width)?;
    let (top, height) = cut(y, height, frame.height)?;
    let area = Area {
        left: left as f32,
        top: top as f32,
        right: (left + width) as f32,
        bottom: (top + height) as f32,
    };
    Some(Parent {
        id,
        track,
        rect: Region {
            left,
            top,
            width,
            height,
        },
        area,
        region: None,
    })
}
