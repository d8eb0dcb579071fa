//! What a frame costs in pipelines that allocate, and in those that have pools already.

use crate::child::{self, Malloc, Mode, Pipeline};
use crate::usage::{Usage, median};

const ROUNDS: usize = 5;
/// A gain below that is the machine's noise (identical runs differ by so much).
const NOISE: f64 = 0.10;

struct Case {
    name: &'static str,
    malloc: Malloc,
    /// Frames of the short and of the long run.
    frames: [u32; 2],
    /// Most of stock's processor time; `None`: nothing is to be gained here.
    limit: Option<f64>,
    /// The pipeline. FRAMES, RECYCLER, OVERLAY and PICTURE are replaced.
    line: &'static str,
}

/// One frame, again and again, and each time somebody writes into it: it is copied.
macro_rules! overlay {
    ($format:literal, $width:literal, $height:literal) => {
        overlay!($format, $width, $height, "OVERLAY")
    };
    ($format:literal, $width:literal, $height:literal, $element:literal) => {
        concat!(
            "videotestsrc num-buffers=1 ! video/x-raw,framerate=30/1,format=",
            $format,
            ",width=",
            $width,
            ",height=",
            $height,
            " ! imagefreeze num-buffers=FRAMES RECYCLER ! ",
            $element,
            " ! queue ! fakesink"
        )
    };
}

/// A camera's frames to an encoder with an overlay and to a network.
const TWO_BRANCHES: &str = "videotestsrc num-buffers=1 ! \
    video/x-raw,framerate=30/1,format=NV12,width=3840,height=2160 ! imagefreeze num-buffers=FRAMES RECYCLER ! tee name=t \
    t. ! queue ! OVERLAY ! videoscale ! video/x-raw,width=1280,height=720 ! videoconvert ! \
    x264enc speed-preset=ultrafast tune=zerolatency ! fakesink \
    t. ! queue ! videoscale ! video/x-raw,width=640,height=640 ! videoconvert ! video/x-raw,format=RGB ! fakesink";

/// What puts a picture into a frame, where it is installed.
const PIXBUF: &str = "gdkpixbufoverlay";
/// As large as what is written where a probe is the overlay.
const PICTURE: &str =
    "videotestsrc num-buffers=1 ! video/x-raw,width=160,height=48 ! pngenc ! filesink location=";
const PICTURE_FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/overlay.png");

const CASES: [Case; 14] = [
    Case {
        name: "5120x2160 BGRA, overlay",
        malloc: Malloc::Stock,
        frames: [20, 80],
        limit: Some(0.25),
        line: overlay!("BGRA", "5120", "2160"),
    },
    Case {
        name: "5120x2160 BGRA, gdkpixbufoverlay",
        malloc: Malloc::Stock,
        frames: [20, 80],
        limit: Some(0.25),
        line: overlay!("BGRA", "5120", "2160", "gdkpixbufoverlay location=PICTURE"),
    },
    Case {
        name: "8K NV12, overlay",
        malloc: Malloc::Stock,
        frames: [20, 80],
        limit: Some(0.35),
        line: overlay!("NV12", "7680", "4320"),
    },
    Case {
        name: "4K NV12, overlay",
        malloc: Malloc::Fixed,
        frames: [50, 250],
        limit: Some(0.40),
        line: overlay!("NV12", "3840", "2160"),
    },
    Case {
        name: "4K NV12, gdkpixbufoverlay",
        malloc: Malloc::Fixed,
        frames: [50, 250],
        limit: Some(0.40),
        line: overlay!("NV12", "3840", "2160", "gdkpixbufoverlay location=PICTURE"),
    },
    Case {
        name: "4K NV12, overlay",
        malloc: Malloc::Jemalloc,
        frames: [50, 250],
        limit: Some(0.40),
        line: overlay!("NV12", "3840", "2160"),
    },
    Case {
        name: "1080p NV12, overlay",
        malloc: Malloc::Fixed,
        frames: [100, 700],
        limit: Some(0.50),
        line: overlay!("NV12", "1920", "1080"),
    },
    Case {
        name: "4K NV12 to overlay and x264, and to a network",
        malloc: Malloc::Fixed,
        frames: [60, 260],
        limit: Some(0.65),
        line: TWO_BRANCHES,
    },
    Case {
        name: "4K NV12 to overlay and x264, and to a network",
        malloc: Malloc::Stock,
        frames: [20, 120],
        limit: None,
        line: TWO_BRANCHES,
    },
    Case {
        name: "4K NV12, overlay",
        malloc: Malloc::Stock,
        frames: [50, 250],
        limit: None,
        line: overlay!("NV12", "3840", "2160"),
    },
    Case {
        name: "1080p NV12, overlay",
        malloc: Malloc::Stock,
        frames: [100, 700],
        limit: None,
        line: overlay!("NV12", "1920", "1080"),
    },
    Case {
        name: "4K source and scaler, which have pools",
        malloc: Malloc::Stock,
        frames: [20, 120],
        limit: None,
        line: "videotestsrc num-buffers=FRAMES ! video/x-raw,format=NV12,width=3840,height=2160 RECYCLER ! queue ! \
               videoscale ! video/x-raw,width=1280,height=720 ! fakesink",
    },
    Case {
        name: "1080p JPEG encoder",
        malloc: Malloc::Stock,
        frames: [20, 320],
        limit: None,
        line: "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=1920,height=1080,framerate=30/1 ! \
               imagefreeze num-buffers=FRAMES RECYCLER ! queue ! jpegenc ! fakesink",
    },
    Case {
        name: "compositor, four 1080p to one",
        malloc: Malloc::Stock,
        frames: [10, 50],
        limit: None,
        line: "compositor name=c sink_1::xpos=960 sink_2::ypos=540 sink_3::xpos=960 sink_3::ypos=540 \
               sink_0::width=960 sink_0::height=540 sink_1::width=960 sink_1::height=540 \
               sink_2::width=960 sink_2::height=540 sink_3::width=960 sink_3::height=540 ! \
               video/x-raw,format=I420,width=1920,height=1080,framerate=30/1 ! fakesink \
               videotestsrc num-buffers=FRAMES ! video/x-raw,width=1920,height=1080 RECYCLER ! queue ! c. \
               videotestsrc num-buffers=FRAMES ! video/x-raw,width=1920,height=1080 ! queue ! c. \
               videotestsrc num-buffers=FRAMES ! video/x-raw,width=1920,height=1080 ! queue ! c. \
               videotestsrc num-buffers=FRAMES ! video/x-raw,width=1920,height=1080 ! queue ! c.",
    },
];

pub fn table() {
    child::init();
    Pipeline::parse(&format!("{PICTURE}{PICTURE_FILE}")).run();
    println!("\nProcessor time and page faults of a frame, medians of {ROUNDS} rounds.\n");
    println!(
        "| pipeline | malloc | stock ms | recycled ms | CPU | stock faults | recycled faults | must |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
    let cases = || CASES.iter().enumerate().filter(|case| case.1.is_here());
    let mut costs = CASES.map(|_| [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        for (at, case) in cases() {
            for (mode, costs) in Mode::BOTH.into_iter().zip(&mut costs[at]) {
                costs.push(cost(case, at, mode));
            }
        }
    }
    for (at, case) in cases() {
        row(case, &costs[at]);
    }
}

impl Case {
    fn is_here(&self) -> bool {
        let element = !self.line.contains(PIXBUF) || gst::ElementFactory::find(PIXBUF).is_some();
        element && self.malloc.is_here()
    }
}

fn row(case: &Case, costs: &[Vec<Usage>; 2]) {
    let middle = |of: fn(&Usage) -> f64| {
        costs
            .each_ref()
            .map(|costs| median(costs.iter().map(of).collect()))
    };
    let [stock, recycled] = middle(|cost| 1e3 * cost.seconds);
    let [stock_faults, recycled_faults] = middle(|cost| cost.faults);
    let ratio = recycled / stock;
    let verdict = match case.limit {
        Some(limit) => {
            crate::must(ratio, limit)
                + if recycled_faults < 1.0 {
                    "; ✓ no faults"
                } else {
                    "; ✗ no faults"
                }
        }
        None if ratio < 1.0 - NOISE => "✓ nothing expected, something gained".to_owned(),
        None if ratio <= 1.0 + NOISE => "✓ nothing to gain, nothing lost".to_owned(),
        None => "✗ nothing to gain, nothing lost".to_owned(),
    };
    // What is measured twice differs by a little: no more than nothing.
    let [stock_faults, recycled_faults] =
        [stock_faults, recycled_faults].map(|it| it.max(0.0) + 0.0);
    println!(
        "| {} | {} | {stock:.2} | {recycled:.2} | {:.0} % | {stock_faults:.0} | {recycled_faults:.1} | {verdict} |",
        case.name,
        case.malloc.name(),
        100.0 * ratio
    );
}

/// What a frame more costs.
fn cost(case: &Case, at: usize, mode: Mode) -> Usage {
    let [short, long] = case.frames.map(|frames| {
        let arguments = [at.to_string(), frames.to_string()];
        let said = child::run::<f64>(
            mode,
            case.malloc,
            "pipelines",
            &arguments.each_ref().map(String::as_str),
        );
        Usage {
            seconds: said[0],
            faults: said[1],
        }
    });
    let difference = long - short;
    let frames = f64::from(case.frames[1] - case.frames[0]);
    Usage {
        seconds: difference.seconds / frames,
        faults: difference.faults / frames,
    }
}

/// Writes a little into each frame at the element `name`, as an overlay with the time does: into memory that somebody
/// else holds too, so that it is copied before.
fn overlay(pipeline: &Pipeline) {
    pipeline.change("overlay", "sink", |buffer| {
        let mut map = buffer.make_mut().map_writable().unwrap();
        for row in map.chunks_mut(4096).take(48) {
            row[..640].iter_mut().for_each(|pixel| *pixel /= 2);
        }
    });
}

/// The child process: runs the case and prints what that cost.
pub fn child(mode: Mode, case: &str, frames: u32) {
    child::init();
    let case = &CASES[case.parse::<usize>().unwrap()];
    let line = case
        .line
        .replace("FRAMES", &frames.to_string())
        .replace("RECYCLER", mode.element())
        .replace("OVERLAY", "identity name=overlay")
        .replace("PICTURE", PICTURE_FILE);
    let pipeline = Pipeline::parse(&line);
    if case.line.contains("OVERLAY") {
        overlay(&pipeline);
    }
    pipeline.fill_queues();
    let before = Usage::of_this_process();
    pipeline.run();
    let used = Usage::of_this_process() - before;
    println!("{} {}", used.seconds, used.faults);
}
