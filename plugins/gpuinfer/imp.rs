//! The GObject of gpuinfer: pads, properties and states. What happens to frames is in `flow`.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_video::VideoCapsBuilder;

use super::FACTORY;
use super::cuda;
use super::flow::{Flow, Loaded, Output};
use super::picture::FORMATS;
use super::report::Report;
use super::settings::{Live, Settings};
use crate::runtime::figures::{Figure, structure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::telemetry::{self, Observed, Registration};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        FACTORY,
        gst::DebugColorFlags::empty(),
        Some("Neural network inference"),
    )
});

const STATS: &str = "application/x-livetune-gpuinfer-stats";

pub struct GpuInfer {
    sink: gst::Pad,
    src: gst::Pad,
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

/// From READY to PAUSED and back.
struct State {
    flow: Arc<Flow>,
    _registration: Registration,
}

impl GpuInfer {
    pub(super) const fn sink(&self) -> &gst::Pad {
        &self.sink
    }

    pub(super) const fn src(&self) -> &gst::Pad {
        &self.src
    }

    pub(super) fn live(&self) -> Live {
        lock(&self.settings).live()
    }

    pub(super) fn flow(&self) -> Option<Arc<Flow>> {
        Some(lock(&self.state).as_ref()?.flow.clone())
    }

    /// `None` in NULL and READY.
    pub(super) fn with_flow<R>(&self, work: impl FnOnce(&Arc<Flow>) -> R) -> Option<R> {
        self.flow().map(|flow| work(&flow))
    }

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let (loaded, warnings) = Loaded::open(&settings)?;
        gst::info!(
            CAT,
            imp = self,
            "{}: {settings:?}",
            loaded.instance.active()
        );
        let source = self.obj().name().into();
        let output = Output::open(loaded.clone(), &settings, source)?;
        let state = State {
            flow: Arc::new(Flow::new(loaded, &settings, output)),
            _registration: telemetry::register(self, FACTORY, None),
        };
        *lock(&self.state) = Some(state);
        self.warn_all(&warnings);
        Ok(())
    }

    fn stop(&self) {
        // Dropped after the lock: it ends threads and leaves the registry.
        let state = lock(&self.state).take();
        drop(state);
    }

    /// Why `value` cannot be the property `name` now.
    fn check(&self, name: &str, value: &glib::Value) -> Result<(), String> {
        Settings::check(name, value)?;
        if name != "classes" {
            return Ok(());
        }
        let classes: Option<String> = value.get().unwrap_or_default();
        let mut wishes = lock(&self.settings).wishes();
        wishes.classes = classes.map(Arc::from);
        let judged = self.with_flow(|flow| flow.loaded().terms.thresholds(&wishes));
        match judged {
            Some(Err(why)) => Err(format!("{why}; the classes stay as they were")),
            _ => Ok(()),
        }
    }

    /// A property was set.
    fn on_set(&self, name: &str, settings: Settings) {
        if name == "model" {
            self.with_flow(|flow| flow.reload(&self.obj(), settings));
        }
    }

    /// The model `refused` was set and is not used: the property names the one `serving`, where nobody has set it since.
    pub(super) fn put_model_back(&self, refused: Option<&str>, serving: &str) {
        let mut settings = lock(&self.settings);
        if settings.model.model.as_deref() == refused {
            settings.model.model = Some(serving.to_owned());
        }
    }

    fn stats(&self) -> gst::Structure {
        structure(STATS, &self.figures())
    }

    fn active_backend(&self) -> Option<String> {
        self.with_flow(|flow| flow.loaded().instance.active())
    }
}

impl Observed for GpuInfer {
    fn figures(&self) -> Vec<Figure> {
        let figures = self.with_flow(|flow| flow.report(Report::figures));
        figures.unwrap_or_default()
    }
}

#[glib::object_subclass]
impl ObjectSubclass for GpuInfer {
    const NAME: &'static str = "GstLiveTuneGpuInfer";
    type Type = super::GpuInfer;
    type ParentType = gst::Element;
    type Interfaces = (gst::Preset,);

    fn with_class(class: &Self::Class) -> Self {
        let template = |name| class.pad_template(name).expect("added with the class");
        Self {
            sink: super::pads::sink_pad(&template("sink")),
            src: super::pads::src_pad(&template("src")),
            settings: Mutex::default(),
            state: Mutex::default(),
        }
    }
}

impl ObjectImpl for GpuInfer {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let mut specs = Settings::specs();
            specs.extend(super::settings::read_only());
            specs
        });
        &PROPERTIES
    }

    fn set_property(&self, _: usize, value: &glib::Value, spec: &glib::ParamSpec) {
        guard("a property of gpuinfer", (), || {
            if let Err(why) = self.check(spec.name(), value) {
                gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{why}"));
                return;
            }
            let settings = {
                let mut settings = lock(&self.settings);
                settings.set(spec.name(), value);
                settings.clone()
            };
            self.on_set(spec.name(), settings);
        });
    }

    fn property(&self, _: usize, spec: &glib::ParamSpec) -> glib::Value {
        let value = guard("a property of gpuinfer", None, || match spec.name() {
            "stats" => Some(self.stats().to_value()),
            "active-backend" => Some(self.active_backend().to_value()),
            name => lock(&self.settings).value(name),
        });
        value.unwrap_or_else(|| spec.default_value().clone())
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        for pad in [&self.sink, &self.src] {
            obj.add_pad(pad).expect("the first pad of its name");
        }
    }
}

impl GstObjectImpl for GpuInfer {}

impl PresetImpl for GpuInfer {}

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
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let mut caps = VideoCapsBuilder::new().format_list(FORMATS).build();
            let on_gpu = VideoCapsBuilder::new()
                .features([cuda::FEATURE])
                .format_list(cuda::FORMATS);
            caps.merge(on_gpu.build());
            pads::always(&caps)
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused
            && let Err(error) = self.start()
        {
            self.post_error_message(error);
            return Err(gst::StateChangeError);
        }
        let changed = self.parent_change_state(transition);
        let starts_in_vain = transition == gst::StateChange::ReadyToPaused && changed.is_err();
        if transition == gst::StateChange::PausedToReady || starts_in_vain {
            self.stop();
        }
        changed
    }
}
