//! What the results of a model are called, and which of them count.

use std::sync::Arc;

use livetune_core::infer::{Head, Labels, Thresholds};

use super::Understood;
use crate::gpuinfer::options::ModelOptions;
use crate::gpuinfer::sidecar::{Advice, Sidecar};

/// Names for a model that does not say how many classes it tells apart: more than any detector has.
const MOST_CLASSES: usize = 1000;

/// What the results of a model are called, and which of them count.
#[derive(Clone, Debug, Default)]
pub(in crate::gpuinfer) struct Terms {
    pub(in crate::gpuinfer) labels: Arc<Labels>,
    advice: Advice,
}

/// What the user wants to count, as the properties say it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gpuinfer) struct Wishes {
    pub(in crate::gpuinfer) confidence: f64,
    pub(in crate::gpuinfer) iou: f64,
    pub(in crate::gpuinfer) max_objects: u32,
    /// Names and numbers with commas between them.
    pub(in crate::gpuinfer) classes: Option<Arc<str>>,
}

impl Wishes {
    pub(in crate::gpuinfer) const DEFAULT: Self = Self {
        confidence: 0.5,
        iou: 0.45,
        max_objects: 300,
        classes: None,
    };
}

impl Terms {
    /// Of a model with this `head`, and what the user should know of them.
    pub(super) fn of(
        head: &Head,
        options: &ModelOptions,
        sidecar: &Sidecar,
    ) -> (Self, Option<String>) {
        let listed = sidecar.labels.as_deref();
        let text = options
            .labels
            .as_ref()
            .map_or(listed, |labels| Some(&labels.text));
        let (labels, warning) = match (text, head.classes()) {
            (None, classes) => (Labels::numbered(classes.unwrap_or(MOST_CLASSES)), None),
            (Some(text), Some(classes)) => {
                let labels = parse(head, text, classes);
                let warning = too_few(&labels, classes);
                (labels, warning)
            }
            (Some(text), None) => (
                parse(head, text, MOST_CLASSES.max(Labels::count(text))),
                None,
            ),
        };
        let terms = Self {
            labels: Arc::new(labels),
            advice: sidecar.advice,
        };
        (terms, warning)
    }

    /// The thresholds that come of `wishes`; the sidecar's where a wish is not other than without one. The error says
    /// which class there is not.
    pub(in crate::gpuinfer) fn thresholds(&self, wishes: &Wishes) -> Understood<Thresholds> {
        let usual = Wishes::DEFAULT;
        let pick = |wish: f64, usual: f64, advice: Option<f32>| match advice {
            Some(advice) if wish == usual => advice,
            _ => wish as f32,
        };
        let max_objects = match self.advice.max_objects {
            Some(advice) if wishes.max_objects == usual.max_objects => advice,
            _ => wishes.max_objects as usize,
        };
        let list = wishes.classes.as_deref().unwrap_or_default();
        let classes = self.labels.select(list).map_err(|entry| {
            format!(
                "The model has no class {entry}: the property classes wants names as in the labels, or numbers, with \
                 commas between them"
            )
        })?;
        Ok(Thresholds {
            confidence: pick(wishes.confidence, usual.confidence, self.advice.confidence),
            iou: pick(wishes.iou, usual.iou, self.advice.iou),
            max_objects,
            across_classes: self.advice.across_classes,
            classes,
        })
    }
}

fn parse(head: &Head, text: &str, classes: usize) -> Labels {
    if head.has_background() {
        Labels::parse_behind_background(text, classes)
    } else {
        Labels::parse(text, classes)
    }
}

fn too_few(labels: &Labels, classes: usize) -> Option<String> {
    let missing = labels.missing();
    let named = classes - missing;
    (missing > 0).then(|| {
        format!(
            "The model tells {classes} classes apart and the labels name {named}: the rest are called class N; set \
             the property labels to the file that belongs to the model"
        )
    })
}
