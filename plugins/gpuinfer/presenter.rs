//! Shows objects to others: as metas on the frame, in the picture, in a message.

use std::time::Duration;

use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Labels, Size, Stages};

use super::draw::Painter;
use super::meta;
use super::objects::{self, Object};

/// What is the same for all objects of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) labels: &'a Labels,
    /// Path or name of the network.
    pub(super) model: &'a str,
    pub(super) pts: Option<gst::ClockTime>,
    /// Whether the network saw this very frame; else its objects are carried from one `age` before.
    pub(super) inferred: bool,
    pub(super) age: Duration,
    /// Frames that went through the network together with the one it saw.
    pub(super) batch_size: u32,
    pub(super) stages: Stages,
}

/// What to do besides the metas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) draw: bool,
    pub(super) message: bool,
}

/// One stream's way out for objects; its buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Presenter {
    /// The objects of the frame at hand, with their ids.
    objects: Vec<Object>,
    painter: Painter,
}

impl Presenter {
    /// Gives `objects` their ids on `buffer`, a writable frame of `info`, attaches them to it, and draws them where
    /// that is `wanted`. Answers the message to post, where one is.
    pub(super) fn present(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        objects: &[Object],
        about: &About<'_>,
        wanted: Wanted,
    ) -> Result<Option<gst::Structure>, String> {
        self.objects.clear();
        self.objects.extend_from_slice(objects);
        objects::number(&mut self.objects, buffer);
        let frame = Size::new(info.width(), info.height());
        meta::roi::attach(buffer, &self.objects, about.labels, frame);
        if wanted.draw && !self.objects.is_empty() {
            let unmapped = |_| "the buffer is no frame of its caps".to_owned();
            let mut mapped =
                VideoFrameRef::from_buffer_ref_writable(buffer, info).map_err(unmapped)?;
            self.painter
                .draw(&mut mapped, frame, &self.objects, about.labels);
        }
        Ok(wanted.message.then(|| message(&self.objects, about)))
    }
}

/// The message `livetune-detections`.
fn message(objects: &[Object], about: &About<'_>) -> gst::Structure {
    let list = objects.iter().map(|object| {
        let (x, y, w, h) = object.rect;
        let mut structure = gst::Structure::builder("object")
            .field("id", object.id)
            .field("label", about.labels.name(object.class))
            .field("label-id", object.class as i32)
            .field("confidence", f64::from(object.confidence))
            .field("x", x)
            .field("y", y)
            .field("w", w)
            .field("h", h)
            .field("age", livetune_core::time::nanos(object.age()))
            .build();
        if let Some(track) = object.track {
            structure.set("track", track);
        }
        structure
    });
    gst::Structure::builder("livetune-detections")
        .field("pts", about.pts)
        .field("objects", gst::List::new(list))
        .field("inferred", about.inferred)
        .field("age", livetune_core::time::nanos(about.age))
        .build()
}
