//! What the streaming thread does with a frame: finds objects, follows them, shows them.

use std::time::Duration;

use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Labels, Size, Stages, Thresholds, Tracker};

use super::detector::Detector;
use super::objects::Object;
use super::picture::Picture;
use super::presenter::{About, Presenter, Shown, Wanted};
use super::settings::Live;
use crate::runtime::clock;

/// What only the streaming thread works with.
pub(super) struct Worker {
    pub(super) detector: Detector,
    pub(super) labels: Labels,
    /// Path of the network.
    pub(super) model: String,
    /// Name of the element.
    pub(super) source: String,
    pub(super) info: Option<VideoInfo>,
    pub(super) objects: Vec<Object>,
    pub(super) tracker: Option<Tracker>,
    pub(super) presenter: Presenter,
}

impl Worker {
    /// Finds objects in `buffer` and shows them; how long finding them took, and what is to be said.
    pub(super) fn work(
        &mut self,
        buffer: &mut gst::BufferRef,
        live: Live,
        stream_time: Option<gst::ClockTime>,
    ) -> Result<(Stages, Shown), String> {
        self.objects.clear();
        let info = self.info.as_ref().ok_or("no caps have come yet")?;
        let frame = Size::new(info.width(), info.height());
        let unmapped = |_| "the buffer is no frame of its caps".to_owned();
        let mapped = VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(unmapped)?;
        let picture = Picture::of(&mapped, frame).ok_or("the planes of the frame are too short")?;
        let Thresholds { confidence, iou } = live.thresholds;
        let wanted = Thresholds {
            confidence: self
                .tracker
                .as_ref()
                .map_or(confidence, |tracker| tracker.confidence_wanted(confidence)),
            iou,
        };
        let (found, stages) = self.detector.detect(&picture, wanted)?;
        drop(mapped);
        if let Some(tracker) = &mut self.tracker {
            let now = buffer
                .pts()
                .map_or_else(clock::monotonic, clock::media_time);
            let shown = tracker.on_detections(found, confidence, now);
            let objects = shown
                .iter()
                .filter_map(|shown| Object::tracked(shown, frame));
            self.objects.extend(objects);
        } else {
            let objects = found.iter().map(|found| Object::inferred(found, frame));
            self.objects.extend(objects);
        }
        let about = About {
            labels: &self.labels,
            model: &self.model,
            source: &self.source,
            pts: buffer.pts(),
            stream_time,
            inferred: true,
            age: Duration::ZERO,
            batch_size: 1,
            stages,
        };
        let wanted = Wanted {
            draw: live.draw,
            message: live.post_messages,
        };
        let shown = self
            .presenter
            .present(buffer, info, &self.objects, &about, wanted)?;
        Ok((stages, shown))
    }
}
