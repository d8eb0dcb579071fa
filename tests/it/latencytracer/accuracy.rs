//! Figures against the truth of every frame, where frames are reordered, left out, held up, lost and sent two ways.

#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "../../../benches/latency_tables/ours.rs"]
mod ours;
#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "../../../benches/latency_tables/samples.rs"]
mod samples;
#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "../../../benches/latency_tables/scenarios.rs"]
mod scenarios;
#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "../../../benches/latency_tables/truth.rs"]
mod truth;

use gst::prelude::*;

use crate::support::pipeline::Pipeline;
use samples::Summary;
use scenarios::{ALL, CAMERA_PAD, ONE_TAP, Question, Taps};
use truth::{Passages, find, number_frames};

/// The same frames over a stretch and over one that begins later and ends earlier. What is measured in between lies
/// in between, however long the machine makes a frame wait on the way.
struct Bounds {
    outer: [Passages; 2],
    inner: [Passages; 2],
}

impl Bounds {
    /// Around what taps of this kind measure for `question`.
    fn watch(pipeline: &gst::Pipeline, question: &Question, taps: Taps) -> Self {
        let around = |pad: &str| match taps {
            Taps::Each => sides_of_tap(&pipeline.by_name(pad).unwrap()),
            _ => ends_of_link(&find(pipeline, pad)),
        };
        let (from, to) = match taps {
            Taps::Each => ("before", question.tap),
            _ => (question.from, question.to),
        };
        let [from_outer, from_inner] = around(from);
        let [to_inner, to_outer] = around(to);
        Self {
            outer: [from_outer, to_outer],
            inner: [from_inner, to_inner],
        }
    }

    /// Where `told` must lie.
    fn summaries(&self) -> [Summary; 2] {
        [&self.inner, &self.outer].map(|[from, to]| from.to(to))
    }
}

/// Frames before and behind a tap.
fn sides_of_tap(tap: &gst::Element) -> [Passages; 2] {
    ["sink", "src"].map(|pad| Passages::watch_pad(&tap.static_pad(pad).unwrap()))
}

/// Frames at both ends of the link of `pad`: probes of the pipeline's tap come after ours on the sending one.
fn ends_of_link(pad: &gst::Pad) -> [Passages; 2] {
    let peer = pad.peer().unwrap();
    let [sending, receiving] = match pad.direction() {
        gst::PadDirection::Src => [pad, &peer],
        _ => [&peer, pad],
    };
    [sending, receiving].map(Passages::watch_pad)
}

/// Whether `told` lies within `inner` and `outer`, but for the steps of a histogram.
fn is_within(told: &Summary, [inner, outer]: &[Summary; 2]) -> bool {
    let within = |told: u64, inner: u64, outer: u64| {
        told + inner / 100 + STEP >= inner && told <= outer + outer / 100 + STEP
    };
    told.count == outer.count
        && inner.count == outer.count
        && within(told.p50, inner.p50, outer.p50)
        && within(told.p95, inner.p95, outer.p95)
}

/// A histogram's finest step, in nanoseconds.
const STEP: u64 = 256;

/// Asks taps of this kind all questions of the scenarios called `name...`.
fn answers_are_true(name: &str, taps: Taps) {
    let mut asked = 0;
    for scenario in ALL
        .iter()
        .filter(|scenario| scenario.name.starts_with(name))
    {
        for (told, bounds) in ask(&scenario.line(taps), scenario.questions, taps) {
            let near = is_within(&told, &bounds);
            assert!(near, "{}: {told:?} not in {bounds:?}", scenario.name);
            asked += 1;
        }
    }
    assert!(asked > 0, "no scenario called {name}");
}

/// For each of the `questions` what the taps in `line` say, and where the truth is.
fn ask(line: &str, questions: &[Question], taps: Taps) -> Vec<(Summary, [Summary; 2])> {
    let pipeline = Pipeline::parse(line);
    number_frames(&pipeline, CAMERA_PAD);
    let watch = |question| Bounds::watch(&pipeline, question, taps);
    let bounds: Vec<Bounds> = questions.iter().map(watch).collect();
    pipeline.run_to_eos();
    let pairs = questions.iter().zip(&bounds);
    pairs
        .map(|(question, bounds)| {
            let told = match taps {
                Taps::Each => ours::tap(&pipeline, question),
                _ => ours::pipeline(&pipeline, ONE_TAP, question),
            };
            (told, bounds.summaries())
        })
        .collect()
}

#[test]
fn taps_are_true_around_an_encoder_that_reorders() {
    answers_are_true("x264enc", Taps::Each);
}

#[test]
fn taps_are_true_around_a_videorate_that_leaves_out() {
    answers_are_true("videorate", Taps::Each);
}

#[test]
fn taps_are_true_around_queues_that_are_overloaded() {
    answers_are_true("queue", Taps::Each);
}

#[test]
fn taps_are_true_on_the_branches_of_a_tee() {
    answers_are_true("tee", Taps::Each);
}

#[test]
fn one_tap_for_the_pipeline_is_true_of_an_encoder_that_reorders() {
    answers_are_true("x264enc", Taps::One);
}

#[test]
fn one_tap_for_the_pipeline_is_true_of_a_videorate_that_leaves_out() {
    answers_are_true("videorate", Taps::One);
}

#[test]
fn one_tap_for_the_pipeline_is_true_of_queues_that_are_overloaded() {
    answers_are_true("queue", Taps::One);
}

#[test]
fn one_tap_for_the_pipeline_is_true_on_the_branches_of_a_tee() {
    answers_are_true("tee", Taps::One);
}
