//! What the user can set, by topic.

mod engine;
mod flow;
mod model;
mod output;
mod request;
mod sharing;
mod spec;

use std::sync::Arc;
use std::time::Duration;

use gst::glib;
use gst::glib::prelude::*;
use livetune_core::infer::{OrderConfig, Policy, Rois};

use super::detector::Wishes;
use super::presenter::Wanted;
pub(super) use engine::EngineSettings;
pub(super) use flow::FlowSettings;
pub use flow::{LatePolicy, Mode};
pub(super) use model::ModelSettings;
pub(super) use output::OutputSettings;
pub(super) use sharing::SharingSettings;

/// All properties that can be set, as one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) model: ModelSettings,
    pub(super) engine: EngineSettings,
    pub(super) sharing: SharingSettings,
    pub(super) flow: FlowSettings,
    pub(super) output: OutputSettings,
    /// The property `classes`, to be handed on.
    classes: Option<Arc<str>>,
    /// The property `roi`, understood.
    rois: Rois,
}

/// The part that may change from frame to frame.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) wishes: Wishes,
    pub(super) rois: Rois,
    /// Whether objects are followed, which takes doubtful ones too.
    pub(super) follows: bool,
    pub(super) wanted: Wanted,
    pub(super) late_policy: LatePolicy,
    pub(super) order: OrderConfig,
    pub(super) max_latency: Option<Duration>,
}

impl Settings {
    const DEFAULT: Self = Self {
        model: ModelSettings::DEFAULT,
        engine: EngineSettings::DEFAULT,
        sharing: SharingSettings::DEFAULT,
        flow: FlowSettings::DEFAULT,
        output: OutputSettings::DEFAULT,
        classes: None,
        rois: Rois::none(),
    };

    pub(super) fn specs() -> Vec<glib::ParamSpec> {
        [
            ModelSettings::specs(),
            EngineSettings::specs(),
            SharingSettings::specs(),
            FlowSettings::specs(),
            OutputSettings::specs(),
        ]
        .concat()
    }

    pub(super) fn value(&self, name: &str) -> Option<glib::Value> {
        let model = || self.model.value(name);
        let engine = || self.engine.value(name);
        let sharing = || self.sharing.value(name);
        let flow = || self.flow.value(name);
        let output = || self.output.value(name);
        let of_network = model().or_else(engine).or_else(sharing);
        of_network.or_else(flow).or_else(output)
    }

    pub(super) fn set(&mut self, name: &str, value: &glib::Value) {
        self.model.set(name, value);
        self.engine.set(name, value);
        self.sharing.set(name, value);
        self.flow.set(name, value);
        self.output.set(name, value);
        match name {
            "classes" => self.classes = self.model.classes.as_deref().map(Arc::from),
            "roi" => self.rois = rois(value).unwrap_or_default(),
            _ => (),
        }
    }

    /// Why `value` cannot be the property `name`.
    pub(super) fn check(name: &str, value: &glib::Value) -> Result<(), String> {
        match name {
            "roi" => rois(value).map(drop).map_err(|entry| {
                let form = Rois::FORM;
                format!("{entry:?} is no region: the property roi wants {form}; the regions stay as they were")
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            confidence: self.model.confidence,
            iou: self.model.iou,
            max_objects: self.model.max_objects,
            classes: self.classes.clone(),
        }
    }

    pub(super) fn live(&self) -> Live {
        let flow = &self.flow;
        let millis = |millis: u32| Duration::from_millis(millis.into());
        Live {
            wishes: self.wishes(),
            rois: self.rois.clone(),
            follows: self.output.follows(),
            wanted: self.output.wanted(),
            late_policy: flow.late_policy,
            order: OrderConfig {
                policy: match flow.late_policy {
                    LatePolicy::Auto | LatePolicy::Block => Policy::Block,
                    LatePolicy::Skip => Policy::Skip,
                    LatePolicy::Drop => Policy::Drop,
                },
                capacity: flow.queue_size as usize,
                interval: flow.inference_interval,
                max_age: millis(flow.max_age),
            },
            max_latency: (flow.max_latency > 0).then(|| millis(flow.max_latency)),
        }
    }
}

fn rois(value: &glib::Value) -> Result<Rois, String> {
    let text: Option<String> = value.get().unwrap_or_default();
    Rois::parse(text.as_deref().unwrap_or_default())
}

/// Properties that can only be read.
pub(super) fn read_only() -> [glib::ParamSpec; 2] {
    [
        glib::ParamSpecString::builder("active-backend")
            .nick("Active backend")
            .blurb("Engine and device that the network really runs on; NULL in NULL and READY")
            .read_only()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb("Figures since the start: counts, means, and percentiles of the time from frame to objects, in nanoseconds; empty in NULL and READY")
            .read_only()
            .build(),
    ]
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
