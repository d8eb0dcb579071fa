//! What our own instruments say.

use gst::prelude::*;

use super::samples::Summary;
use super::scenarios::{About, Question};

/// The type of the tracer `livetune`.
const TRACER: &str = "GstLiveTuneTracer";

/// The transit that the tap of `question` measured.
pub fn tap(pipeline: &gst::Pipeline, question: &Question) -> Summary {
    let tap = pipeline.by_name(question.tap).unwrap();
    transit(&tap.property::<gst::Structure>("stats"))
}

/// What the tap called `name` knows of its whole pipeline.
pub fn pipeline(pipeline: &gst::Pipeline, name: &str, question: &Question) -> Summary {
    let tap = pipeline.by_name(name).unwrap();
    find(&tap.emit_by_name("snapshot", &[]), &question.about)
}

/// What the tracer knows of the one pipeline.
pub fn tracer(question: &Question) -> Summary {
    let tracers = gst::active_tracers();
    let mut ours = tracers.iter().filter(|one| one.type_().name() == TRACER);
    let tracer = ours.next().expect("GST_TRACERS names livetune");
    find(&tracer.emit_by_name("snapshot", &[]), &question.about)
}

/// Looks for the stage or the way `about` in `snapshot`: pipelines, in them sinks, in them stages.
fn find(snapshot: &gst::Structure, about: &About) -> Summary {
    let paths = inner(snapshot).into_iter().flat_map(|(_, all)| inner(&all));
    let found = match about {
        About::Sink(name) => paths.into_iter().find(|(sink, _)| sink == name),
        About::Element(name) => paths
            .filter_map(|(_, path)| path.get::<gst::Structure>("stages").ok())
            .flat_map(|stages| inner(&stages))
            .find(|(stage, _)| stage == name),
    };
    let (_, figures) = found.unwrap_or_else(|| panic!("no such stage: {snapshot}"));
    transit(&figures)
}

/// The structures in `outer`, by name.
fn inner(outer: &gst::StructureRef) -> Vec<(String, gst::Structure)> {
    let fields = outer.iter();
    fields
        .filter_map(|(name, value)| Some((name.to_string(), value.get().ok()?)))
        .collect()
}

fn transit(figures: &gst::StructureRef) -> Summary {
    let number = |field| figures.get::<u64>(field).unwrap();
    Summary {
        count: number("count"),
        p50: number("transit-p50"),
        p95: number("transit-p95"),
    }
}
