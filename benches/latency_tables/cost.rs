//! What a buffer costs in each element while it is measured: processor time of a whole process.
//!
//! `fakesrc ! N elements ! fakesink`, at two values of N: the slope is what one element costs one buffer. All cases
//! take turns, several rounds long, so that all see the same machine; of the rounds the median counts.

use std::path::Path;
use std::time::Duration;

use gst::prelude::*;

use crate::child::{self, Tracing};
use crate::empty;
use crate::samples::median;

const ROUNDS: usize = 7;
const FEW: u32 = 2;
const MANY: u32 = 22;
const ELEMENT: &str = "identity";

/// What the program itself adds to the pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Addition {
    Nothing,
    Probes,
    Tracer,
}

/// What a case is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Floor {
    Probe,
    Tracer,
}

struct Case {
    name: &'static str,
    /// The element that is there N times.
    element: &'static str,
    /// What is there once, before the sink.
    last: &'static str,
    addition: Addition,
    tracers: &'static str,
    log: bool,
    floor: Floor,
    buffers: u32,
}

impl Case {
    const fn new(name: &'static str, floor: Floor) -> Self {
        Self {
            name,
            element: ELEMENT,
            last: "",
            addition: Addition::Nothing,
            tracers: "",
            log: false,
            floor,
            buffers: 60_000,
        }
    }

    /// One of the tracers that are well known for their price.
    const fn peer(name: &'static str, tracers: &'static str, log: bool) -> Self {
        Self {
            tracers,
            log,
            buffers: 6_000,
            ..Self::new(name, Floor::Tracer)
        }
    }
}

const NOTHING: &str = "nothing";
const PROBE: &str = "empty pad probe";
const TRACER: &str = "empty tracer hook";

const CASES: [Case; 8] = [
    Case::new(NOTHING, Floor::Probe),
    Case {
        addition: Addition::Probes,
        ..Case::new(PROBE, Floor::Probe)
    },
    Case {
        element: "latencytracer interval=0",
        ..Case::new("latencytracer, N of them", Floor::Probe)
    },
    Case {
        last: "! latencytracer interval=0 scope=pipeline",
        ..Case::new("latencytracer scope=pipeline, one", Floor::Probe)
    },
    Case {
        addition: Addition::Tracer,
        ..Case::new(TRACER, Floor::Tracer)
    },
    Case {
        tracers: "livetune(report=none)",
        ..Case::new("tracer livetune", Floor::Tracer)
    },
    Case::peer(
        "core latency, pipeline+element, no log",
        "latency(flags=pipeline+element)",
        false,
    ),
    Case::peer(
        "core latency, pipeline+element, log to /dev/null",
        "latency(flags=pipeline+element)",
        true,
    ),
];

const PEERS: [Case; 2] = [
    Case::peer(
        "GstShark interlatency, log to /dev/null",
        "interlatency",
        true,
    ),
    Case::peer("GstShark proctime, log to /dev/null", "proctime", true),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    let peers = child::peers().map_or(&[][..], |_| &PEERS[..]);
    CASES.iter().chain(peers)
}

/// Measures all cases and prints what they cost.
pub fn table() {
    let cases: Vec<&Case> = cases().collect();
    let mut slopes = vec![Vec::new(); cases.len()];
    for round in 0..=ROUNDS {
        for (case, slopes) in cases.iter().zip(&mut slopes) {
            let slope = slope(case);
            // The first round fills caches.
            if round > 0 {
                slopes.push(slope);
            }
        }
    }
    let at = |name| cases.iter().position(|case| case.name == name).unwrap();
    let net = |case: usize| {
        let baseline = slopes[at(NOTHING)].iter();
        let pairs = slopes[case].iter().zip(baseline);
        median(pairs.map(|(slope, baseline)| slope - baseline).collect())
    };
    println!("Cost: processor time in ns per buffer and element, median of {ROUNDS} rounds");
    println!("{:>59} {:>8}  net of an empty one", "total", "net");
    for (index, case) in cases.iter().enumerate() {
        let total = median(slopes[index].clone());
        let (floor, name) = match case.floor {
            Floor::Probe => (at(PROBE), "probe"),
            Floor::Tracer => (at(TRACER), "hook"),
        };
        let ratio = net(index) / net(floor);
        println!(
            "{:<50} {total:>8.0} {:>8.0}  {ratio:>6.1} x {name}",
            case.name,
            net(index)
        );
    }
    println!();
}

/// What one more element costs one buffer.
fn slope(case: &Case) -> f64 {
    let [few, many] = [FEW, MANY].map(|elements| cost(case, elements));
    (many - few) / f64::from(MANY - FEW)
}

/// What a buffer costs in a pipeline of so many elements.
fn cost(case: &Case, elements: u32) -> f64 {
    let tracing = Tracing {
        tracers: case.tracers,
        log: case.log.then_some(Path::new("/dev/null")),
    };
    let said = child::run(&["child-cost", case.name, &elements.to_string()], &tracing);
    said.trim().parse().unwrap()
}

/// The child process: runs the pipeline and prints the ns per buffer.
pub fn child(name: &str, elements: u32) {
    gst::init().unwrap();
    let case = cases().find(|case| case.name == name).unwrap();
    let chain = format!("! {} ", case.element).repeat(elements as usize);
    // 100 ns of media a buffer: its PTS stays behind the clock.
    let pipeline = child::parse(&format!(
        "fakesrc num-buffers={} format=time sizetype=fixed sizemax=64 datarate=640000000 \
         {chain} {} ! fakesink",
        case.buffers, case.last
    ));
    let tracer = (case.addition == Addition::Tracer).then(empty::start_tracer);
    if case.addition == Addition::Probes {
        empty::add_probes(&pipeline);
    }
    let before = processor_time();
    child::run_to_eos(&pipeline);
    let spent = processor_time() - before;
    pipeline.set_state(gst::State::Null).unwrap();
    drop(tracer);
    println!("{}", spent.as_nanos() as f64 / f64::from(case.buffers));
}

/// What this process has used of all processors, in its own code and in the kernel.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a place for what the call writes.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "no clock of the process");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
