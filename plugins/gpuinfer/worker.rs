//! What is done with one frame after the other.

use std::sync::Arc;

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Found, Region, Rois, Size, Stages, Thresholds, suppress};

use super::detector::{Detector, Terms, Wishes, Work};
use super::draw::Painter;
use super::objects::{self, Object};
use super::picture::Picture;
use super::settings::Live;

/// What only the streaming thread works with.
pub(super) struct Worker {
    pub(super) detector: Detector,
    pub(super) terms: Arc<Terms>,
    pub(super) info: Option<VideoInfo>,
    pub(super) objects: Vec<Object>,
    /// What the properties said last, and what came of it.
    wishes: Wishes,
    thresholds: Thresholds,
    rois: Rois,
    regions: Vec<Region>,
    /// Of one region, and of all.
    part: Found,
    found: Found,
    painter: Painter,
}

impl Worker {
    pub(super) fn new(detector: Detector, live: &Live) -> Result<Self, String> {
        let terms = detector.terms().clone();
        Ok(Self {
            thresholds: terms.thresholds(&live.wishes)?,
            detector,
            terms,
            info: None,
            objects: Vec::new(),
            wishes: live.wishes.clone(),
            rois: live.rois.clone(),
            regions: Vec::new(),
            part: Found::default(),
            found: Found::default(),
            painter: Painter::default(),
        })
    }

    /// Finds objects in `buffer`, attaches them and draws them.
    pub(super) fn work(
        &mut self,
        buffer: &mut gst::BufferRef,
        live: &Live,
    ) -> Result<Stages, String> {
        self.objects.clear();
        if self.wishes != live.wishes {
            self.thresholds = self.terms.thresholds(&live.wishes)?;
            self.wishes = live.wishes.clone();
        }
        self.rois.clone_from(&live.rois);
        let info = self.info.clone().ok_or("no caps have come yet")?;
        let frame = Size::new(info.width(), info.height());
        let unmapped = |_| "the buffer is no frame of its caps".to_owned();
        let mapped = VideoFrameRef::from_buffer_ref_readable(buffer, &info).map_err(unmapped)?;
        let picture = Picture::of(&mapped, frame).ok_or("the planes of the frame are too short")?;
        let stages = self.look(&picture)?;
        let found = &self.found.objects[..];
        objects::number(found, mapped.buffer(), frame, &mut self.objects);
        drop(mapped);
        objects::attach(buffer, found, &self.objects, &self.terms.labels, frame);
        if live.draw && !self.objects.is_empty() {
            let mut mapped =
                VideoFrameRef::from_buffer_ref_writable(buffer, &info).map_err(unmapped)?;
            self.painter
                .draw(&mut mapped, frame, &self.objects, &self.terms.labels);
        }
        Ok(stages)
    }

    /// Looks at all of `picture`, or at its regions of interest one after the other.
    fn look(&mut self, picture: &Picture<'_>) -> Result<Stages, String> {
        if self.rois.is_empty() {
            let found = &mut self.found;
            return look_at(&mut self.detector, picture, None, &self.thresholds, found);
        }
        self.rois.regions(picture.size, &mut self.regions);
        self.found.clear();
        let mut stages = Stages::default();
        for region in &self.regions {
            let part = &mut self.part;
            let region = Some(*region);
            let took = look_at(&mut self.detector, picture, region, &self.thresholds, part)?;
            stages.preprocess += took.preprocess;
            stages.inference += took.inference;
            stages.postprocess += took.postprocess;
            self.found.objects.extend_from_slice(&self.part.objects);
        }
        // What lies in two regions was found twice.
        suppress(&mut self.found.objects, &self.thresholds);
        Ok(stages)
    }
}

fn look_at(
    detector: &mut Detector,
    picture: &Picture<'_>,
    region: Option<Region>,
    thresholds: &Thresholds,
    found: &mut Found,
) -> Result<Stages, String> {
    let work = Work {
        picture,
        region,
        thresholds,
        found,
    };
    let stages = detector.detect(&mut [work])?;
    match &found.failure {
        Some(why) => Err(why.clone()),
        None => Ok(stages),
    }
}
