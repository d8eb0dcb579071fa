//! What is done with a frame: objects are found, attached and drawn.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Labels, Size, Stages};

use super::detector::Detector;
use super::draw::Painter;
use super::engine::Stopper;
use super::model::{self, Loaded};
use super::objects::{self, Object};
use super::picture::Picture;
use super::settings::{Live, Settings};

/// What only the streaming thread works with.
pub(super) struct Worker {
    detector: Detector,
    pub(super) labels: Labels,
    pub(super) info: Option<VideoInfo>,
    pub(super) objects: Vec<Object>,
    painter: Painter,
}

/// A worker, and what is to be said of it.
pub(super) struct Ready {
    pub(super) worker: Worker,
    /// Engine and device, in words.
    pub(super) active: String,
    pub(super) stopper: Stopper,
    /// What the user should know.
    pub(super) warnings: Vec<String>,
}

/// Makes what `settings` describe ready to run.
pub(super) fn open(settings: &Settings) -> Result<Ready, gst::ErrorMessage> {
    let Loaded {
        detector,
        active,
        stopper,
        mut warnings,
    } = model::open(settings)?;
    let classes = detector.classes();
    let labels = model::labels(settings, classes)?;
    if labels.missing() > 0 {
        let named = classes - labels.missing();
        warnings.push(format!(
            "The model tells {classes} classes apart and the labels name {named}: the rest are called class N; set \
             the property labels to the file that belongs to the model"
        ));
    }
    let worker = Worker {
        detector,
        labels,
        info: None,
        objects: Vec::new(),
        painter: Painter::default(),
    };
    Ok(Ready {
        worker,
        active,
        stopper,
        warnings,
    })
}

impl Worker {
    /// Finds objects in `buffer`, attaches them and draws them.
    pub(super) fn work(
        &mut self,
        buffer: &mut gst::BufferRef,
        live: Live,
    ) -> Result<Stages, String> {
        self.objects.clear();
        let info = self.info.as_ref().ok_or("no caps have come yet")?;
        let frame = Size::new(info.width(), info.height());
        let unmapped = |_| "the buffer is no frame of its caps".to_owned();
        let mapped = VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(unmapped)?;
        let picture = Picture::of(&mapped, frame).ok_or("the planes of the frame are too short")?;
        let (found, stages) = self.detector.detect(&picture, live.thresholds)?;
        objects::number(found, mapped.buffer(), frame, &mut self.objects);
        drop(mapped);
        objects::attach(buffer, found, &self.objects, &self.labels, frame);
        if live.draw && !self.objects.is_empty() {
            let mut mapped =
                VideoFrameRef::from_buffer_ref_writable(buffer, info).map_err(unmapped)?;
            self.painter
                .draw(&mut mapped, frame, &self.objects, &self.labels);
        }
        Ok(stages)
    }
}
