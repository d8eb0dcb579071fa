//! One registry per process of all elements that run, encoded as OpenMetrics text when somebody asks.
//!
//! Nothing is counted twice: at the time of asking, every running element is asked for its figures, the same that
//! its `stats` property shows. A series ends when its element stops.

mod collect;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gst::glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use prometheus_client::registry::Registry;

use super::figures::Figure;
use super::lock::lock;
use collect::{Collected, Labels};

/// An element that can be asked for its figures.
pub(crate) trait Observed {
    /// What the element knows of itself now. Called from any thread.
    fn figures(&self) -> Vec<Figure>;

    /// What it knows of other stages, by their names: series of their own, which end with them.
    fn stages(&self) -> Vec<(String, Vec<Figure>)> {
        Vec::new()
    }
}

/// The figures of an element, and of other stages.
type Answer = (Vec<Figure>, Vec<(String, Vec<Figure>)>);

type Ask = dyn Fn() -> Option<Answer> + Send + Sync;

struct Series {
    id: u64,
    factory: &'static str,
    labels: Labels,
    ask: Box<Ask>,
}

static RUNNING: Mutex<Vec<Arc<Series>>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// An element's place in the registry; dropping it ends the element's series.
#[derive(Debug)]
pub(crate) struct Registration(u64);

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&RUNNING).retain(|series| series.id != self.0);
    }
}

/// Lists the element from now on, under the name of its `factory` and, where it has one, its `stage`. Call it in
/// `start` and keep the answer until `stop`.
pub(crate) fn register<T>(imp: &T, factory: &'static str, stage: Option<String>) -> Registration
where
    T: ElementImpl + Observed + Send + Sync,
    T::Type: IsA<gst::Element>,
{
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let weak = imp.ref_counted().downgrade();
    let series = Series {
        id,
        factory,
        labels: labels(imp.obj().upcast_ref::<gst::Element>(), stage),
        ask: Box::new(move || {
            let element = weak.upgrade()?;
            Some((element.figures(), element.stages()))
        }),
    };
    lock(&RUNNING).push(Arc::new(series));
    Registration(id)
}

/// All figures of all livetune elements that run in this process, as OpenMetrics 1.0 text.
pub fn open_metrics() -> String {
    let running = lock(&RUNNING).clone();
    let mut collected = Collected::default();
    for series in running {
        let Some((figures, stages)) = (series.ask)() else {
            continue;
        };
        collected.add(series.factory, &series.labels, figures);
        for (stage, figures) in stages {
            let mut labels = series.labels.clone();
            labels.retain(|(name, _)| name != "stage");
            labels.push(("stage".to_owned(), stage));
            collected.add(series.factory, &labels, figures);
        }
    }
    let mut registry = Registry::with_prefix("livetune");
    registry.register_collector(Box::new(collected));
    let mut text = String::new();
    // Writing into a string fails only where a label set does, and ours are plain text.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

/// The pipeline's name, the element's name with those of the bins around it, and the stage.
fn labels(element: &gst::Element, stage: Option<String>) -> Labels {
    let mut path = element.name().to_string();
    let mut top = element.clone().upcast::<gst::Object>();
    while let Some(parent) = top.parent() {
        if parent.parent().is_some() {
            path = format!("{}/{path}", parent.name());
        }
        top = parent;
    }
    let mut labels = vec![
        ("pipeline".to_owned(), top.name().to_string()),
        ("element".to_owned(), path),
    ];
    labels.extend(stage.map(|stage| ("stage".to_owned(), stage)));
    labels
}
