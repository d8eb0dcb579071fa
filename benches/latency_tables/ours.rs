//! What our own instruments say.

use gst::prelude::*;

use crate::samples::Summary;
use crate::scenarios::Question;

/// The transit that the tap of `question` measured.
pub fn tap(pipeline: &gst::Pipeline, question: &Question) -> Summary {
    let tap = pipeline.by_name(question.tap).unwrap();
    let stats = tap.property::<gst::Structure>("stats");
    let number = |field| stats.get::<u64>(field).unwrap_or_default();
    Summary {
        count: number("count"),
        p50: number("transit-p50"),
        p95: number("transit-p95"),
    }
}
