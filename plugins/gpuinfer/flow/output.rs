//! What the thread that pushes works with: the objects at hand, and how they are shown.

use std::sync::Arc;
use std::time::Duration;

use gst_video::VideoInfo;
use livetune_core::infer::{Boxes, Size, Stages, Tracker};
use livetune_core::time::MediaTime;

use super::Frame;
use super::serving::Loaded;
use crate::gpuinfer::Tracking;
use crate::gpuinfer::instance::Answer;
use crate::gpuinfer::objects::Object;
use crate::gpuinfer::presenter::{About, Presenter, Shown, Wanted};
use crate::gpuinfer::publish::Published;
use crate::gpuinfer::settings::Settings;

pub(in crate::gpuinfer) struct Output {
    loaded: Arc<Loaded>,
    /// Name of the element.
    source: String,
    presenter: Presenter,
    tracker: Option<Tracker>,
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    /// What was found in the last frame that has some, and then where it is in the frame at hand.
    objects: Vec<Object>,
    batch_size: u32,
    stages: Stages,
    /// Of the last frame that was pushed.
    size: Size,
    /// A frame was dropped before the next one.
    pub(super) is_discontinued: bool,
}

impl Output {
    pub(in crate::gpuinfer) fn open(
        loaded: Arc<Loaded>,
        settings: &Settings,
        source: String,
    ) -> Result<Self, gst::ErrorMessage> {
        let objects = settings.output.objects();
        Ok(Self {
            presenter: Presenter::open(&objects)?,
            tracker: (objects.tracker == Tracking::Iou).then(Tracker::default),
            loaded,
            source,
            segment: None,
            objects: Vec::new(),
            batch_size: 0,
            stages: Stages::default(),
            size: Size::new(0, 0),
            is_discontinued: false,
        })
    }

    /// Answers the network that served until now.
    pub(super) fn serve(&mut self, loaded: Arc<Loaded>) -> Arc<Loaded> {
        self.forget();
        std::mem::replace(&mut self.loaded, loaded)
    }

    /// An event goes by that comes between frames.
    pub(super) fn on_event(&mut self, event: &gst::Event) {
        match event.view() {
            gst::EventView::Segment(segment) => {
                self.segment = segment.segment().downcast_ref().cloned();
                self.forget();
            }
            gst::EventView::Caps(_) | gst::EventView::StreamStart(_) => self.forget(),
            _ => (),
        }
    }

    /// A frame is to be shown.
    pub(super) fn on_frame(&mut self, info: &VideoInfo) {
        self.size = Size::new(info.width(), info.height());
    }

    /// What was found in a frame of this `time`, of objects at least of this `confidence`.
    pub(super) fn take(&mut self, answer: &Answer, confidence: f32, time: MediaTime) {
        self.batch_size = answer.batch_size as u32;
        self.stages = answer.stages;
        self.objects.clear();
        let size = self.size;
        if let Some(tracker) = &mut self.tracker {
            let found = answer.found().first();
            let found = found.map_or(&[][..], |found| &found.objects);
            let shown = tracker.on_detections(found, confidence, time).iter();
            self.objects
                .extend(shown.filter_map(|shown| Object::tracked(shown, size)));
        } else {
            let found = answer.found().iter().flat_map(|found| &found.objects);
            self.objects
                .extend(found.map(|found| Object::inferred(found, size)));
        }
    }

    pub(super) const fn objects(&self) -> usize {
        self.objects.len()
    }

    /// What became of the lines published so far.
    pub(super) fn published(&self) -> Published {
        self.presenter.published().unwrap_or_default()
    }

    /// Shows the objects at hand on `frame`.
    pub(super) fn show(
        &mut self,
        frame: &mut Frame,
        boxes: &Boxes<()>,
        wanted: Wanted,
    ) -> Result<Shown, String> {
        let age = match *boxes {
            Boxes::Own(()) => Duration::ZERO,
            Boxes::Carried(age) => {
                self.carry(age, frame.time);
                age
            }
            Boxes::Bare => return Ok(Shown::default()),
        };
        let buffer = frame.buffer.make_mut();
        let pts = buffer.pts();
        let stream_time = |segment: &gst::FormattedSegment<_>| segment.to_stream_time(pts);
        let about = About {
            labels: &self.loaded.labels,
            model: &self.loaded.model,
            source: &self.source,
            pts,
            stream_time: self.segment.as_ref().and_then(stream_time),
            inferred: matches!(boxes, Boxes::Own(())),
            age,
            batch_size: self.batch_size,
            stages: self.stages,
        };
        self.presenter
            .present(buffer, &frame.info, &self.objects, &about, wanted)
    }

    /// Where the objects of a frame so much older are at this `time`.
    fn carry(&mut self, age: Duration, time: MediaTime) {
        if let Some(tracker) = &mut self.tracker {
            let size = self.size;
            self.objects.clear();
            let expected = tracker.predict(time).iter();
            self.objects
                .extend(expected.filter_map(|expected| Object::tracked(expected, size)));
        } else {
            for object in &mut self.objects {
                *object = object.carried(age);
            }
        }
    }

    fn forget(&mut self) {
        self.objects.clear();
        if let Some(tracker) = &mut self.tracker {
            tracker.reset();
        }
    }
}
