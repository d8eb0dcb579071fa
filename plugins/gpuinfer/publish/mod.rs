//! Objects written down: a line of JSON per frame, into a file, a named pipe or to the standard output.

mod json;
mod queue;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use gst::glib;

use super::objects::Object;
use super::presenter::About;
use crate::runtime::guard::guard;
use livetune_core::infer::Size;
pub(super) use queue::Published;
use queue::Queue;
use writer::Target;

/// How objects are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferPublish")]
pub enum Publish {
    /// Not at all.
    #[default]
    #[enum_value(name = "Not at all", nick = "none")]
    None,
    /// A line of JSON per frame, in the schema of gvametaconvert.
    #[enum_value(
        name = "A line of JSON per frame, in the schema of DL Streamer's gvametaconvert",
        nick = "jsonl"
    )]
    JsonLines,
}

/// Writes in a thread of its own: a reader that is slow or gone never holds a frame up.
#[derive(Debug)]
pub(super) struct Publisher {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Publishes to `location`: a path, or `-` for the standard output.
    pub(super) fn open(location: Option<&str>) -> Result<Self, gst::ErrorMessage> {
        let Some(location) = location.filter(|location| !location.is_empty()) else {
            return Err(gst::error_msg!(
                gst::LibraryError::Settings,
                ("It is not said where to publish: set publish-location to the path of a file, or to - for the standard output")
            ));
        };
        let target = Target::open(PathBuf::from(location)).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::OpenWrite,
                ("{location} cannot be written ({error}): set publish-location to a path in a folder that is there and can be written")
            )
        })?;
        let queue = Arc::new(Queue::default());
        let theirs = queue.clone();
        let thread = thread::Builder::new()
            .name("gpuinfer-publish".to_owned())
            .spawn(move || guard("the publisher", (), || target.serve(&theirs)))
            .map_err(|error| {
                gst::error_msg!(
                    gst::ResourceError::Failed,
                    ("No thread can be started to publish from ({error})")
                )
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Publishes `objects`, found on a frame of the size `frame`.
    pub(super) fn publish(&self, objects: &[Object], about: &About<'_>, frame: Size) {
        let mut line = self.queue.spare();
        json::write(&mut line, objects, about, frame);
        self.queue.push(line);
    }

    /// What became of the lines so far.
    pub(super) fn published(&self) -> Published {
        self.queue.published()
    }

    /// Why lines are not written, once for each time that it begins.
    pub(super) fn trouble(&self) -> Option<String> {
        self.queue.take_trouble()
    }
}

impl Drop for Publisher {
    /// Writes what waits, as far as there is somebody who takes it.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // Its panics are caught inside.
            let _ = thread.join();
        }
    }
}
