//! What the streaming thread does with a frame: finds objects, follows them, shows them.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Found, Labels, Region, Size, Stages, Thresholds, Tracker};
use livetune_core::time::MediaTime;

use super::detector::{Detector, Work};
use super::object_settings::{ObjectSettings, RoiSource, Tracking};
use super::objects::Object;
use super::picture::Picture;
use super::presenter::{About, Presenter, Shown, Wanted};
use super::second_stage::SecondStage;
use super::settings::{Live, Settings};
use crate::runtime::clock;

/// What only the streaming thread works with.
pub(super) struct Worker {
    detector: Detector,
    labels: Arc<Labels>,
    /// Path of the network.
    model: String,
    /// Name of the element.
    source: String,
    info: Option<VideoInfo>,
    found: Vec<Found>,
    pub(super) objects: Vec<Object>,
    tracker: Option<Tracker>,
    second_stage: Option<SecondStage>,
    /// Objects of another network that the last frame made this one look into.
    pub(super) looked_into: usize,
    pub(super) presenter: Presenter,
}

impl Worker {
    pub(super) fn new(
        detector: Detector,
        settings: &Settings,
        objects: &ObjectSettings,
        source: String,
    ) -> Result<Self, gst::ErrorMessage> {
        let interval = Duration::from_millis(objects.reclassify_interval.into());
        let labels = objects.object_classes.as_deref();
        let is_second = objects.roi_source == RoiSource::Objects;
        Ok(Self {
            labels: detector.labels().clone(),
            detector,
            model: settings.model.clone().unwrap_or_default(),
            source,
            info: None,
            found: Vec::new(),
            objects: Vec::new(),
            tracker: (objects.tracker == Tracking::Iou).then(Tracker::default),
            second_stage: is_second.then(|| SecondStage::new(labels, interval)),
            looked_into: 0,
            presenter: Presenter::open(objects)?,
        })
    }

    /// Frames are like this from now on: objects are not where they were.
    pub(super) fn set_info(&mut self, info: VideoInfo) {
        self.info = Some(info);
        if let Some(tracker) = &mut self.tracker {
            tracker.reset();
        }
        if let Some(stage) = &mut self.second_stage {
            stage.reset();
        }
    }

    /// Finds objects in `buffer` and shows them; how long finding them took, and what is to be said.
    pub(super) fn work(
        &mut self,
        buffer: &mut gst::BufferRef,
        live: &Live,
        stream_time: Option<gst::ClockTime>,
    ) -> Result<(Stages, Shown), String> {
        self.objects.clear();
        let info = self.info.clone().ok_or("no caps have come yet")?;
        let pts = buffer.pts();
        let now = pts.map_or_else(clock::monotonic, clock::media_time);
        let stages = if let Some(mut stage) = self.second_stage.take() {
            let stages = self.look_into_objects(buffer, &info, &mut stage, (live, now));
            self.second_stage = Some(stage);
            stages?
        } else {
            self.look_at_frame(buffer, &info, live, now)?
        };
        let about = About {
            labels: &self.labels,
            model: &self.model,
            source: &self.source,
            pts,
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
            .present(buffer, &info, &self.objects, &about, wanted)?;
        Ok((stages, shown))
    }

    fn look_at_frame(
        &mut self,
        buffer: &gst::BufferRef,
        info: &VideoInfo,
        live: &Live,
        now: MediaTime,
    ) -> Result<Stages, String> {
        let frame = Size::new(info.width(), info.height());
        let confidence = live.thresholds.confidence;
        let mut thresholds = live.thresholds.clone();
        if let Some(tracker) = &self.tracker {
            thresholds.confidence = tracker.confidence_wanted(confidence);
        }
        let stages = self.look(buffer, info, &[Region::whole(frame)], &thresholds)?;
        let Some(found) = self.found.first() else {
            return Ok(stages);
        };
        if let Some(why) = &found.failure {
            return Err(why.clone());
        }
        if let Some(tracker) = &mut self.tracker {
            let shown = tracker.on_detections(&found.objects, confidence, now);
            let objects = shown.iter().filter_map(|one| Object::tracked(one, frame));
            self.objects.extend(objects);
        } else {
            let objects = found.objects.iter();
            self.objects
                .extend(objects.map(|found| Object::inferred(found, frame)));
        }
        let first = found.classes.first();
        self.objects
            .extend(first.map(|class| Object::classified(class, frame)));
        Ok(stages)
    }

    fn look_into_objects(
        &mut self,
        buffer: &gst::BufferRef,
        info: &VideoInfo,
        stage: &mut SecondStage,
        (live, now): (&Live, MediaTime),
    ) -> Result<Stages, String> {
        let frame = Size::new(info.width(), info.height());
        let visit = stage.visit(buffer, frame, now);
        let stages = self.look(buffer, info, visit.regions(), &live.thresholds);
        self.looked_into = visit.regions().len();
        let found = match &stages {
            Ok(_) => &self.found[..visit.regions().len()],
            Err(_) => &[],
        };
        stage.apply(visit, found, (frame, now), &mut self.objects);
        stages
    }

    /// Fills `self.found` with what is in these `regions` of `buffer`.
    fn look(
        &mut self,
        buffer: &gst::BufferRef,
        info: &VideoInfo,
        regions: &[Region],
        thresholds: &Thresholds,
    ) -> Result<Stages, String> {
        let mut sum = Stages::default();
        if regions.is_empty() {
            return Ok(sum);
        }
        let frame = Size::new(info.width(), info.height());
        let unmapped = |_| "the buffer is no frame of its caps".to_owned();
        let mapped = VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(unmapped)?;
        let picture = Picture::of(&mapped, frame).ok_or("the planes of the frame are too short")?;
        let missing = regions.len().saturating_sub(self.found.len());
        self.found
            .extend(iter::repeat_with(Found::default).take(missing));
        for (region, found) in regions.iter().zip(&mut self.found) {
            let work = Work {
                picture: &picture,
                region: (*region != Region::whole(frame)).then_some(*region),
                thresholds,
                found,
            };
            let stages = self.detector.detect(&mut [work])?;
            sum.preprocess += stages.preprocess;
            sum.inference += stages.inference;
            sum.postprocess += stages.postprocess;
        }
        Ok(sum)
    }
}
