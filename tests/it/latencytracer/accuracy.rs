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
#[path = "../../../benches/latency_tables/truth.rs"]
mod truth;

use crate::support::pipeline::Pipeline;
use samples::Summary;
use scenarios::{ALL, CAMERA_PAD, ONE_TAP, Question, Taps};
use truth::{Passages, number_frames};

/// How often a run may be disturbed by what else the machine does.
const ATTEMPTS: usize = 3;

/// Asks taps of this kind all questions of the scenarios called `name...`, until all answers are near the truth.
fn answers_are_true(name: &str, taps: Taps) {
    let mut wrong = Vec::new();
    for scenario in ALL
        .iter()
        .filter(|scenario| scenario.name.starts_with(name))
    {
        for attempt in 1..=ATTEMPTS {
            let answers = ask(&scenario.line(taps), scenario.questions, taps);
            let near = answers.iter().all(|(truth, told)| told.is_near(truth));
            if near {
                break;
            }
            wrong.push(format!("{}: {answers:?}", scenario.name));
            assert!(attempt < ATTEMPTS, "{wrong:#?}");
        }
    }
}

/// For each of the `questions` the truth, and what the taps in `line` say.
fn ask(line: &str, questions: &[Question], taps: Taps) -> Vec<(Summary, Summary)> {
    let pipeline = Pipeline::parse(line);
    number_frames(&pipeline, CAMERA_PAD);
    let watch = |question: &Question| {
        [question.from, question.to].map(|pad| Passages::watch(&pipeline, pad))
    };
    let passages: Vec<[Passages; 2]> = questions.iter().map(watch).collect();
    pipeline.run_to_eos();
    let pairs = questions.iter().zip(&passages);
    pairs
        .map(|(question, [from, to])| {
            let told = match taps {
                Taps::Each => ours::tap(&pipeline, question),
                _ => ours::pipeline(&pipeline, ONE_TAP, question),
            };
            (from.to(to), told)
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
