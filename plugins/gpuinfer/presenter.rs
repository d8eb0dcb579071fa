//! Shows objects to others: as metas on the frame, in the picture, in a message, in a file.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use gst::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Labels, Size, Stages};
use livetune_core::time::nanos;

use super::draw::Painter;
use super::meta::Kinds;
use super::object_settings::ObjectSettings;
use super::objects::{Object, What};
use super::publish::{Publish, Published, Publisher};
use super::tensors::Tensor;

/// What is the same for all objects of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) labels: &'a Labels,
    /// Path or name of the network.
    pub(super) model: &'a str,
    /// Whose frames they are: the element's name.
    pub(super) source: &'a str,
    pub(super) pts: Option<gst::ClockTime>,
    pub(super) stream_time: Option<gst::ClockTime>,
    /// Whether the network saw this very frame; else its objects are carried from one `age` before.
    pub(super) inferred: bool,
    pub(super) age: Duration,
    /// Frames that went through the network together with the one it saw.
    pub(super) batch_size: u32,
    pub(super) stages: Stages,
    /// Outputs of the network that nobody here makes sense of.
    pub(super) tensors: &'a [Tensor],
}

impl About<'_> {
    /// What the network tells of objects, by the name of its file.
    pub(super) fn attribute(&self) -> &str {
        let stem = Path::new(self.model).file_stem();
        stem.and_then(OsStr::to_str).unwrap_or(self.model)
    }
}

/// What to do besides metas and publishing; may change from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) draw: bool,
    pub(super) message: bool,
}

/// What is to be said of a frame.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// To post on the bus.
    pub(super) message: Option<gst::Structure>,
    /// What went wrong in showing, for a warning.
    pub(super) warning: Option<String>,
}

impl Shown {
    /// Says it in the name of `element`.
    pub(super) fn say(self, element: &impl IsA<gst::Element>) {
        if let Some(structure) = self.message {
            let message = gst::message::Element::builder(structure)
                .src(element.upcast_ref::<gst::Element>())
                .build();
            // Without a bus nobody listens.
            let _ = element.post_message(message);
        }
        if let Some(why) = self.warning {
            gst::element_warning!(
                element,
                gst::ResourceError::Write,
                ("Objects cannot be published ({why}): see that publish-location can be written")
            );
        }
    }
}

/// One stream's way out for objects; its buffers are reused.
#[derive(Debug)]
pub(super) struct Presenter {
    kinds: Kinds,
    publisher: Option<Publisher>,
    /// The objects of the frame at hand, with their ids.
    objects: Vec<Object>,
    painter: Painter,
}

impl Presenter {
    /// Opens what `settings` name.
    pub(super) fn open(settings: &ObjectSettings) -> Result<Self, gst::ErrorMessage> {
        let location = settings.publish_location.as_deref();
        let publisher = match settings.publish {
            Publish::None => None,
            Publish::JsonLines => Some(Publisher::open(location)?),
        };
        Ok(Self {
            kinds: Kinds::of(settings.metadata)?,
            publisher,
            objects: Vec::new(),
            painter: Painter::default(),
        })
    }

    /// Gives `objects` their ids on `buffer`, a writable frame of `info`, attaches them to it, publishes them, and
    /// draws them where that is `wanted`.
    pub(super) fn present(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        objects: &[Object],
        about: &About<'_>,
        wanted: Wanted,
    ) -> Result<Shown, String> {
        self.objects.clear();
        self.objects.extend_from_slice(objects);
        let frame = Size::new(info.width(), info.height());
        self.kinds.attach(buffer, &mut self.objects, about, frame);
        if let Some(publisher) = &self.publisher {
            publisher.publish(&self.objects, about, frame);
        }
        if wanted.draw && !self.objects.is_empty() {
            let unmapped = |_| "the buffer is no frame of its caps".to_owned();
            let mut mapped =
                VideoFrameRef::from_buffer_ref_writable(buffer, info).map_err(unmapped)?;
            self.painter
                .draw(&mut mapped, frame, &self.objects, about.labels);
        }
        let publisher = self.publisher.as_ref();
        Ok(Shown {
            message: wanted.message.then(|| message(&self.objects, about, frame)),
            warning: publisher.and_then(Publisher::trouble),
        })
    }

    /// What became of the lines published so far, where they are.
    pub(super) fn published(&self) -> Option<Published> {
        self.publisher.as_ref().map(Publisher::published)
    }
}

/// The message `livetune-detections`.
fn message(objects: &[Object], about: &About<'_>, frame: Size) -> gst::Structure {
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
            .field("age", nanos(object.age()))
            .build();
        if let Some(track) = object.track {
            structure.set("track", track);
        }
        if let Some(parent) = object.parent {
            structure.set("parent", parent);
        }
        if object.what == What::Classified {
            structure.set("classified", true);
        }
        structure
    });
    let mut message = gst::Structure::builder("livetune-detections")
        .field("pts", about.pts)
        .field("objects", gst::List::new(list))
        .field("inferred", about.inferred)
        .field("age", nanos(about.age))
        .build();
    if !about.tensors.is_empty() {
        let tensors = about.tensors.iter().map(|tensor| tensor.structure(frame));
        message.set("tensors", gst::List::new(tensors));
    }
    message
}

#[cfg(test)]
mod tests;
