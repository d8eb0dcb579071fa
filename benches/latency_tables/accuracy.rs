//! How near to the truth each instrument comes, frame by frame known.
//!
//! Each instrument watches a run of its own, and is held against the truth of that run.

use std::time::Duration;

use gst::prelude::*;

use crate::child::{self, Tracing};
use crate::logs::{self, Writer};
use crate::ours;
use crate::samples::Summary;
use crate::scenarios::{ALL, CAMERA_PAD, ONE_TAP, Question, Scenario, Taps};
use crate::truth::{Passages, number_frames};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Taps,
    Pipeline,
    Tracer,
    Log(Writer),
}

struct Instrument {
    name: &'static str,
    tracers: &'static str,
    answer: Answer,
}

const INSTRUMENTS: [Instrument; 4] = [
    Instrument {
        name: "latencytracer, two taps",
        tracers: "",
        answer: Answer::Taps,
    },
    Instrument {
        name: "latencytracer, pipeline",
        tracers: "",
        answer: Answer::Pipeline,
    },
    Instrument {
        name: "tracer livetune",
        tracers: "livetune(report=none)",
        answer: Answer::Tracer,
    },
    Instrument {
        name: "core latency",
        tracers: "latency(flags=pipeline+element)",
        answer: Answer::Log(Writer::CoreLatency),
    },
];

const PEERS: [Instrument; 2] = [
    Instrument {
        name: "GstShark interlatency",
        tracers: "interlatency",
        answer: Answer::Log(Writer::Interlatency),
    },
    Instrument {
        name: "GstShark proctime",
        tracers: "proctime",
        answer: Answer::Log(Writer::Proctime),
    },
];

fn instruments() -> impl Iterator<Item = &'static Instrument> {
    let peers = child::peers().map_or(&[][..], |_| &PEERS[..]);
    INSTRUMENTS.iter().chain(peers)
}

/// Runs every scenario under every instrument and prints what they say.
pub fn table() {
    println!("Accuracy: transit in ms; each instrument against the truth of its own run");
    println!(
        "{:<32} {:<24} {:>6} {:>9} {:>9} {:>6} {:>9} {:>9}",
        "", "", "truth", "p50", "p95", "told", "p50", "p95"
    );
    for scenario in &ALL {
        for instrument in instruments() {
            for row in run(scenario, instrument) {
                row.print();
            }
        }
    }
    println!();
}

/// One question, what is true, and what was told.
struct Row {
    what: String,
    instrument: &'static Instrument,
    truth: Summary,
    told: Option<Summary>,
}

impl Row {
    fn print(&self) {
        let milliseconds = |nanoseconds| Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3;
        let columns = |summary: Summary| {
            let (p50, p95) = (milliseconds(summary.p50), milliseconds(summary.p95));
            format!("{:>6} {p50:>9.2} {p95:>9.2}", summary.count)
        };
        let told = self.told.map_or_else(|| format!("{:>6}", "-"), columns);
        let verdict = match self.told {
            Some(told) if told.is_near(&self.truth) => "right",
            Some(_) => "wrong",
            None => "",
        };
        println!(
            "{:<32} {:<24} {} {told}  {verdict}",
            self.what,
            self.instrument.name,
            columns(self.truth)
        );
    }
}

fn run(scenario: &Scenario, instrument: &'static Instrument) -> Vec<Row> {
    let log = child::scratch("bench-tracer.log");
    let writer = match instrument.answer {
        Answer::Log(writer) => Some(writer),
        _ => None,
    };
    let tracing = Tracing {
        tracers: instrument.tracers,
        log: writer.map(|_| log.as_path()),
    };
    let arguments = ["child-accuracy", scenario.name, instrument.name];
    let said = child::run(&arguments, &tracing);
    let lines = said.lines().zip(scenario.questions);
    let row = |(line, question): (&str, &Question)| {
        let (truth, told) = line.split_once(',').unwrap();
        let own = (!told.is_empty()).then(|| told.parse().unwrap());
        Row {
            what: format!("{} {}", scenario.name, question.name),
            instrument,
            truth: truth.parse().unwrap(),
            told: own.or_else(|| logs::read(&log, writer?, &question.about)),
        }
    };
    lines.map(row).collect()
}

/// The child process: a line for each question, with the truth and what our own instrument says.
pub fn child(scenario: &str, instrument: &str) {
    gst::init().unwrap();
    let scenario = ALL.iter().find(|one| one.name == scenario).unwrap();
    let instrument = instruments().find(|one| one.name == instrument).unwrap();
    let taps = match instrument.answer {
        Answer::Taps => Taps::Each,
        Answer::Pipeline => Taps::One,
        _ => Taps::None,
    };
    let pipeline = child::parse(&scenario.line(taps));
    number_frames(&pipeline, CAMERA_PAD);
    let watch = |question: &Question| {
        [question.from, question.to].map(|pad| Passages::watch(&pipeline, pad))
    };
    let passages: Vec<[Passages; 2]> = scenario.questions.iter().map(watch).collect();
    child::run_to_eos(&pipeline);
    for (question, [from, to]) in scenario.questions.iter().zip(&passages) {
        let told = match instrument.answer {
            Answer::Taps => ours::tap(&pipeline, question).to_string(),
            Answer::Pipeline => ours::pipeline(&pipeline, ONE_TAP, question).to_string(),
            Answer::Tracer => ours::tracer(question).to_string(),
            Answer::Log(_) => String::new(),
        };
        println!("{},{told}", from.to(to));
    }
    pipeline.set_state(gst::State::Null).unwrap();
}
