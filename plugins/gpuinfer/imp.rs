//! The GObject of gpuinfer: properties, start and stop, and what is done with each frame.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::{VideoCapsBuilder, VideoCropMeta, VideoInfo};

use super::FACTORY;
use super::engine::{Backend, Device, Fallback, Precision};
use super::picture::FORMATS;
use super::report::Report;
use super::running::State;
use super::settings::Settings;
use super::worker::{self, Ready};
use crate::runtime::figures::Figure;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{self, Observed};

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
        name = "backend",
        type = Backend,
        member = backend,
        get,
        set,
        mutable_ready,
        nick = "Backend",
        blurb = "The engine that runs the network; ONNX Runtime is looked for as onnxruntime-library says",
        builder(Settings::DEFAULT.backend)
    )]
    #[property(
        name = "device",
        type = Device,
        member = device,
        get,
        set,
        mutable_ready,
        nick = "Device",
        blurb = "What the network runs on; all but auto and cpu need ONNX Runtime, made for that device. One that does not work is an error, see fallback",
        builder(Settings::DEFAULT.device)
    )]
    #[property(
        name = "device-id",
        type = u32,
        member = device_id,
        get,
        set,
        maximum = Settings::MOST_DEVICES,
        default = Settings::DEFAULT.device_id,
        mutable_ready,
        nick = "Device number",
        blurb = "Which GPU, counted from 0, as CUDA and OpenVINO count them (the processor has none)"
    )]
    #[property(
        name = "precision",
        type = Precision,
        member = precision,
        get,
        set,
        mutable_ready,
        nick = "Precision",
        blurb = "Numbers that the network is computed with; int8 takes a quantised model, or with TensorRT the table MODEL.flatbuffers in the folder engine-cache",
        builder(Settings::DEFAULT.precision)
    )]
    #[property(
        name = "fallback",
        type = Fallback,
        member = fallback,
        get,
        set,
        mutable_ready,
        nick = "Fallback",
        blurb = "What happens where the device does not work; active-backend says what runs",
        builder(Settings::DEFAULT.fallback)
    )]
    #[property(
        name = "memory-limit",
        type = u32,
        member = memory_limit,
        get,
        set,
        default = Settings::DEFAULT.memory_limit,
        mutable_ready,
        nick = "Memory limit",
        blurb = "GPU memory that the network may take, in megabytes: CUDA's arena, TensorRT's workspace (0 = no limit; the processor has none)"
    )]
    #[property(
        name = "engine-cache",
        type = Option<String>,
        member = engine_cache,
        get,
        set,
        mutable_ready,
        nick = "Engine cache",
        blurb = "Folder for what TensorRT and OpenVINO build out of the model, so that the next start is fast (NULL = build it every time)"
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
        name = "spin",
        type = bool,
        member = spin,
        get,
        set,
        default = Settings::DEFAULT.spin,
        mutable_ready,
        nick = "Spin",
        blurb = "Let ONNX Runtime's threads wait busily: faster on an idle machine, at the cost of everything else on the same cores"
    )]
    #[property(
        name = "onnxruntime-library",
        type = Option<String>,
        member = onnxruntime_library,
        get,
        set,
        mutable_ready,
        nick = "ONNX Runtime library",
        blurb = "Absolute path of libonnxruntime.so, or of its folder (NULL = the variables LIVETUNE_ORT_PATH and ORT_DYLIB_PATH, the dynamic linker, the newest in the usual folders and in Python's packages); one per process"
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
    pub(super) settings: Mutex<Settings>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "Figures since the start: counts, means, and percentiles of the time from frame to objects, in nanoseconds"
    )]
    #[property(
        name = "active-backend",
        type = Option<String>,
        get = Self::active_backend,
        nick = "Active backend",
        blurb = "Engine and device that really run, with version (NULL = nothing runs)"
    )]
    pub(super) state: Mutex<Option<State>>,
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

    /// The streaming thread may be in a run, which leaving PAUSED would wait for.
    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::PausedToReady
            && let Some(state) = &*lock(&self.state)
        {
            state.stopper.stop();
        }
        self.parent_change_state(transition)
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
        let Ready {
            worker,
            active,
            stopper,
            warnings,
        } = worker::open(&settings)?;
        for warning in warnings {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{warning}"));
        }
        gst::info!(CAT, imp = self, "{active}, {settings:?}");
        let state = State {
            worker: Some(Box::new(worker)),
            report: Report::of(settings.model.unwrap_or_default()),
            active,
            stopper,
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
            worker.info = Some(info);
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
        let outcome = guard("gpuinfer", Err("panic".to_owned()), || {
            worker.work(buffer, live)
        });
        match &outcome {
            Ok(stages) => self.count_objects(worker.objects.len(), *stages),
            Err(why) => self.count_error(why),
        }
        if live.post_messages && outcome.is_ok() {
            self.announce(&worker, buffer.pts());
        }
        self.put_back(worker);
        Ok(gst::FlowSuccess::Ok)
    }
}
