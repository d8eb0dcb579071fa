//! The GObject of gpuinfer: properties, start and stop, and what is done with each frame.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::{VideoCapsBuilder, VideoCropMeta, VideoInfo};
use livetune_core::infer::Stages;

use super::object_settings::ObjectSettings;
use super::picture::FORMATS;
use super::report::Report;
use super::settings::Settings;
use super::worker::Worker;
use super::{FACTORY, Metadata, Publish, RoiSource, Tracking, model};
use crate::runtime::figures::{Figure, structure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{self, Observed, Registration};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        FACTORY,
        gst::DebugColorFlags::empty(),
        Some("Neural network inference"),
    )
});

#[derive(Default, glib::Properties)]
#[properties(wrapper_type = super::GpuInfer)]
pub struct GpuInfer {
    #[property(
        name = "model",
        type = Option<String>,
        member = model,
        get,
        set,
        mutable_ready,
        nick = "Model",
        blurb = "Path of the neural network, an .onnx file with a YOLOX, YOLOv8 or YOLOv11 detection head"
    )]
    #[property(
        name = "labels",
        type = Option<String>,
        member = labels,
        get,
        set,
        mutable_ready,
        nick = "Labels",
        blurb = "Path of a text file with the name of a class per line, in the model's order (NULL = class 0, class 1, ...)"
    )]
    #[property(
        name = "confidence",
        type = f64,
        member = confidence,
        get,
        set,
        minimum = 0.0,
        maximum = 1.0,
        default = Settings::DEFAULT.confidence,
        mutable_playing,
        nick = "Confidence",
        blurb = "How sure the network must be of an object, as a ratio (0 = report everything, 1 = nothing)"
    )]
    #[property(
        name = "iou",
        type = f64,
        member = iou,
        get,
        set,
        minimum = 0.0,
        maximum = 1.0,
        default = Settings::DEFAULT.iou,
        mutable_playing,
        nick = "Intersection over union",
        blurb = "Overlap, as a ratio, above which two boxes of one class are one object (0 = any overlap, 1 = never)"
    )]
    #[property(
        name = "draw",
        type = bool,
        member = draw,
        get,
        set,
        default = Settings::DEFAULT.draw,
        mutable_playing,
        nick = "Draw",
        blurb = "Draw boxes, labels and confidence into the picture; a frame that others see too is copied for that"
    )]
    #[property(
        name = "threads",
        type = u32,
        member = threads,
        get,
        set,
        maximum = Settings::MOST_THREADS,
        default = Settings::DEFAULT.threads,
        mutable_ready,
        nick = "Threads",
        blurb = "Threads that work on one frame (0 = one per physical core)"
    )]
    #[property(
        name = "post-messages",
        type = bool,
        member = post_messages,
        get,
        set,
        default = Settings::DEFAULT.post_messages,
        mutable_playing,
        nick = "Post messages",
        blurb = "Post a livetune-detections message on the bus for every frame"
    )]
    settings: Mutex<Settings>,
    #[property(
        name = "roi-source",
        type = RoiSource,
        member = roi_source,
        get,
        set,
        mutable_ready,
        nick = "Source of regions",
        blurb = "What the network looks at: the frame, or each object that another gpuinfer found on it",
        builder(ObjectSettings::DEFAULT.roi_source)
    )]
    #[property(
        name = "object-classes",
        type = Option<String>,
        member = object_classes,
        get,
        set,
        mutable_ready,
        nick = "Classes of objects",
        blurb = "Labels of the objects that roi-source=objects looks at, parted by commas (NULL = all)"
    )]
    #[property(
        name = "reclassify-interval",
        type = u32,
        member = reclassify_interval,
        get,
        set,
        default = ObjectSettings::DEFAULT.reclassify_interval,
        mutable_ready,
        nick = "Interval of reclassification",
        blurb = "After how long, in ms, roi-source=objects looks at a tracked object again (0 = only when its box has grown by half)"
    )]
    #[property(
        name = "tracker",
        type = Tracking,
        member = tracker,
        get,
        set,
        mutable_ready,
        nick = "Tracker",
        blurb = "How objects are followed from frame to frame, each with an id of its own",
        builder(ObjectSettings::DEFAULT.tracker)
    )]
    #[property(
        name = "metadata",
        type = Metadata,
        member = metadata,
        get,
        set,
        mutable_ready,
        nick = "Metadata",
        blurb = "Which metas the frames get",
        builder(ObjectSettings::DEFAULT.metadata)
    )]
    #[property(
        name = "publish",
        type = Publish,
        member = publish,
        get,
        set,
        mutable_ready,
        nick = "Publish",
        blurb = "How the objects of each frame are written to publish-location",
        builder(ObjectSettings::DEFAULT.publish)
    )]
    #[property(
        name = "publish-location",
        type = Option<String>,
        member = publish_location,
        get,
        set,
        mutable_ready,
        nick = "Publish location",
        blurb = "Where publish writes to: path of a file, which is made anew, or of a named pipe; - is the standard output"
    )]
    objects: Mutex<ObjectSettings>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "Figures since the start: counts, means, and percentiles of the time from frame to objects, in nanoseconds"
    )]
    state: Mutex<Option<State>>,
}

/// From READY to PAUSED and back.
struct State {
    /// Not here while a frame is in it, so that nobody who asks for figures waits for the network.
    worker: Option<Box<Worker>>,
    report: Report,
    _registration: Registration,
}

impl GpuInfer {
    fn stats(&self) -> Stats {
        let name = "application/x-livetune-gpuinfer-stats";
        guard(
            "the stats of gpuinfer",
            Stats(gst::Structure::new_empty(name)),
            || Stats(structure(name, &self.figures())),
        )
    }

    fn take_worker(&self) -> Option<Box<Worker>> {
        lock(&self.state).as_mut()?.worker.take()
    }

    fn put_back(&self, worker: Box<Worker>) {
        if let Some(state) = lock(&self.state).as_mut() {
            state.worker = Some(worker);
        }
    }

    fn count_objects(&self, worker: &Worker, stages: Stages) {
        let published = worker.presenter.published();
        if let Some(state) = lock(&self.state).as_mut() {
            state.report.on_objects(worker.objects.len(), stages);
            state.report.on_published(published.unwrap_or_default());
            state.report.on_second_stage(worker.looked_into);
        }
    }

    fn count_error(&self, why: &str) {
        let first = lock(&self.state)
            .as_mut()
            .is_some_and(|state| state.report.on_error());
        if first {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Failed,
                ("The network failed on a frame ({why}): frames go on without objects, see errors in the property stats")
            );
        }
    }

    fn stream_time(&self, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>()?;
        segment.to_stream_time(buffer.pts())
    }
}

impl Observed for GpuInfer {
    fn figures(&self) -> Vec<Figure> {
        let state = lock(&self.state);
        state
            .as_ref()
            .map_or_else(Vec::new, |state| state.report.figures())
    }
}

#[glib::object_subclass]
impl ObjectSubclass for GpuInfer {
    const NAME: &'static str = "GstLiveTuneGpuInfer";
    type Type = super::GpuInfer;
    type ParentType = gst_base::BaseTransform;
    type Interfaces = (gst::Preset,);
}

#[glib::derived_properties]
impl ObjectImpl for GpuInfer {}

impl GstObjectImpl for GpuInfer {}

impl ElementImpl for GpuInfer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Neural network inference",
                "Filter/Analyzer/Video",
                "Neural network inference, object detection: runs an ONNX model (YOLOX, YOLOv8) on video, attaches \
                 the objects it finds to the frames and draws them",
                "livetune developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| pads::always(&VideoCapsBuilder::new().format_list(FORMATS).build()));
        &TEMPLATES
    }
}

impl PresetImpl for GpuInfer {}

impl BaseTransformImpl for GpuInfer {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    // Metas need a writable buffer, which the base class makes, sharing the pixels, where the frame is not.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let objects = lock(&self.objects).clone();
        let detector = model::open(&settings)?;
        for warning in detector.warnings() {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{warning}"));
        }
        gst::info!(CAT, imp = self, "{settings:?} {objects:?}");
        let source = self.obj().name().into();
        let worker = Worker::new(detector, &settings, &objects, source)?;
        let state = State {
            worker: Some(Box::new(worker)),
            report: Report::of(settings.model.unwrap_or_default()),
            _registration: telemetry::register(self, FACTORY, None),
        };
        *lock(&self.state) = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Dropped after the lock: it ends threads and leaves the registry.
        let state = lock(&self.state).take();
        drop(state);
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "no raw video: {incaps}"))?;
        if let Some(worker) = lock(&self.state)
            .as_mut()
            .and_then(|state| state.worker.as_mut())
        {
            worker.set_info(info);
        }
        Ok(())
    }

    /// Pixels pass as they are: whatever downstream can take from an allocator, upstream may give. Only what a sink
    /// would crop must be cropped before, as boxes are for what is seen.
    fn propose_allocation(
        &self,
        _: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(None, query)?;
        while let Some(crop) = query.find_allocation_meta::<VideoCropMeta>() {
            query.remove_nth_allocation_meta(crop);
        }
        Ok(())
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let live = lock(&self.settings).live();
        let mut worker = self.take_worker().ok_or(gst::FlowError::Flushing)?;
        let stream_time = self.stream_time(buffer);
        let outcome = guard("gpuinfer", Err("panic".to_owned()), || {
            worker.work(buffer, &live, stream_time)
        });
        match outcome {
            Ok((stages, shown)) => {
                self.count_objects(&worker, stages);
                shown.say(&*self.obj());
            }
            Err(why) => self.count_error(&why),
        }
        self.put_back(worker);
        Ok(gst::FlowSuccess::Ok)
    }
}
