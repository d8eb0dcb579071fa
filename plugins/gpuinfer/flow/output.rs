//! What the thread that pushes works with: the objects at hand, and how they are shown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use livetune_core::infer::{Boxes, Detection, Region, Size, Stages, Thresholds, Tracker, suppress};
use livetune_core::time::MediaTime;

use super::Frame;
use super::serving::Loaded;
use crate::gpuinfer::RoiSource;
use crate::gpuinfer::instance::Answer;
use crate::gpuinfer::objects::{Object, Origin, Told};
use crate::gpuinfer::presenter::{About, Presenter, Shown, Wanted};
use crate::gpuinfer::publish::Published;
use crate::gpuinfer::second_stage::SecondStage;
use crate::gpuinfer::settings::Settings;
use crate::gpuinfer::tensors::{Place, Tensor};
use crate::runtime::lock::lock;

pub(in crate::gpuinfer) struct Output {
    loaded: Arc<Loaded>,
    /// Name of the element.
    source: String,
    presenter: Presenter,
    tracker: Option<Tracker>,
    /// What was found in the last frame that has some, and then where it is in the frame at hand.
    told: Told,
    /// In all regions of a frame together.
    found: Vec<Detection>,
    batch_size: u32,
    stages: Stages,
    thresholds: Thresholds,
    /// Whether the objects come from those of another network.
    is_second: bool,
    /// Whether all of them are known on the frame at hand.
    looked_into_all: bool,
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
            tracker: settings.output.follows().then(Tracker::default),
            loaded,
            source,
            told: Told::default(),
            found: Vec::new(),
            batch_size: 0,
            stages: Stages::default(),
            thresholds: Thresholds::default(),
            is_second: objects.roi_source == RoiSource::Objects,
            looked_into_all: false,
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
        if let gst::EventView::Segment(_)
        | gst::EventView::Caps(_)
        | gst::EventView::StreamStart(_) = event.view()
        {
            self.forget();
        }
    }

    /// A frame is to be shown.
    pub(super) fn on_frame(&mut self, frame: &Frame) {
        self.size = Size::new(frame.info.width(), frame.info.height());
        self.thresholds.clone_from(&frame.thresholds);
    }

    /// What was found in a frame of this `time`.
    pub(super) fn take(&mut self, answer: &Answer, time: MediaTime) {
        self.on_batch(answer);
        self.told.clear();
        self.found.clear();
        for found in answer.found() {
            self.found.extend_from_slice(&found.objects);
        }
        if answer.found().len() > 1 {
            // What lies in two regions was found twice.
            suppress(&mut self.found, &self.thresholds);
        }
        let size = self.size;
        if let Some(tracker) = &mut self.tracker {
            let confidence = self.thresholds.confidence;
            let shown = tracker.on_detections(&self.found, confidence, time).iter();
            self.told
                .objects
                .extend(shown.filter_map(|shown| Object::tracked(shown, size)));
        } else {
            let found = self.found.iter();
            self.told
                .objects
                .extend(found.map(|found| Object::inferred(found, size)));
        }
        let whole = answer
            .found()
            .first()
            .and_then(|found| found.classes.first());
        self.told
            .objects
            .extend(whole.map(|class| Object::classified(class, size)));
        self.take_tensors(answer);
    }

    /// Outputs that nobody here makes sense of.
    fn take_tensors(&mut self, answer: &Answer) {
        let is_part = !answer.regions.is_empty();
        let whole = [Region::whole(self.size)];
        let regions = if is_part { &answer.regions[..] } else { &whole };
        for (found, region) in answer.found().iter().zip(regions) {
            let place = Place {
                region: *region,
                is_part,
                parent: None,
            };
            let outputs = found.tensors().iter();
            self.told
                .tensors
                .extend(outputs.filter_map(|output| Tensor::of(output, place)));
        }
    }

    /// What was found in objects of another network, and what is known of those that were not looked at; how many
    /// were.
    pub(super) fn look_into(
        &mut self,
        stage: &Mutex<SecondStage>,
        frame: &mut Frame,
        answer: Option<&Answer>,
    ) -> usize {
        self.told.clear();
        let Some(visit) = frame.visit.take() else {
            return 0;
        };
        self.looked_into_all = answer.is_some() || visit.regions().is_empty();
        if let Some(answer) = answer {
            self.on_batch(answer);
        }
        let found = answer.map_or(&[][..], |answer| answer.found());
        let when = (self.size, frame.time);
        lock(stage).apply(visit, found, when, &mut self.told);
        found.len()
    }

    fn on_batch(&mut self, answer: &Answer) {
        self.batch_size = answer.batch_size as u32;
        self.stages = answer.stages;
    }

    pub(super) const fn objects(&self) -> usize {
        self.told.objects.len()
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
            _ if self.is_second => Duration::ZERO,
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
            labels: &self.loaded.terms.labels,
            model: &self.loaded.model,
            source: &self.source,
            pts,
            stream_time: frame.segment.as_ref().and_then(stream_time),
            inferred: matches!(boxes, Boxes::Own(())) || self.is_second && self.looked_into_all,
            age,
            batch_size: self.batch_size,
            stages: self.stages,
            tensors: &self.told.tensors,
        };
        self.presenter
            .present(buffer, &frame.info, &self.told.objects, &about, wanted)
    }

    /// Where the objects of a frame so much older are at this `time`.
    fn carry(&mut self, age: Duration, time: MediaTime) {
        if let Some(tracker) = &mut self.tracker {
            let size = self.size;
            self.told.objects.clear();
            let expected = tracker.predict(time).iter();
            self.told
                .objects
                .extend(expected.filter_map(|expected| Object::tracked(expected, size)));
        } else {
            for object in &mut self.told.objects {
                object.origin = Origin::Carried { age };
            }
        }
    }

    fn forget(&mut self) {
        self.told.clear();
        if let Some(tracker) = &mut self.tracker {
            tracker.reset();
        }
    }
}
