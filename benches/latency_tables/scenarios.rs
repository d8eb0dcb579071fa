//! Pipelines that are hard to measure.

/// What is asked: how long frames take from one pad to another.
pub struct Question {
    pub name: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub about: About,
    /// The tap that answers.
    pub tap: &'static str,
}

/// Whether the way is one element, or all from the source to a sink.
pub enum About {
    Element(&'static str),
    Sink(&'static str),
}

pub struct Scenario {
    pub name: &'static str,
    /// `[name]` is where a tap may be put.
    pub line: &'static str,
    pub questions: &'static [Question],
}

/// Which taps are in the line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taps {
    None,
    /// Behind the camera one for the whole pipeline.
    One,
    /// Wherever one may be.
    Each,
}

impl Scenario {
    /// The line with its taps.
    pub fn line(&self, taps: Taps) -> String {
        let mut parts = self.line.split(['[', ']']);
        let mut whole = CAMERA.to_owned();
        if taps == Taps::One {
            whole += &format!(" ! latencytracer interval=0 scope=pipeline name={ONE_TAP}");
        }
        whole += parts.next().unwrap_or_default();
        while let (Some(tap), Some(rest)) = (parts.next(), parts.next()) {
            if taps == Taps::Each {
                whole += &format!(" ! latencytracer interval=0 name={tap}");
            }
            whole += rest;
        }
        whole
    }
}

/// The tap for the whole pipeline.
pub const ONE_TAP: &str = "all";

/// The pad that numbers the frames.
pub const CAMERA_PAD: &str = "camera.src";

const CAMERA: &str = "videotestsrc name=camera is-live=true num-buffers=150 \
                      ! video/x-raw,format=I420,width=320,height=240,framerate=30/1";

const STAGE: Question = Question {
    name: "",
    from: "stage.sink",
    to: "stage.src",
    about: About::Element("stage"),
    tap: "after",
};

pub const ALL: [Scenario; 5] = [
    Scenario {
        name: "x264enc, B-frames and lookahead",
        line: "[before] ! x264enc name=stage bframes=3 b-adapt=true rc-lookahead=20 \
               speed-preset=ultrafast key-int-max=60 [after] ! fakesink sync=false",
        questions: &[STAGE],
    },
    Scenario {
        name: "videorate, 30 to 10",
        line: "[before] ! videorate name=stage [after] ! video/x-raw,framerate=10/1 \
               ! fakesink sync=false",
        questions: &[STAGE],
    },
    Scenario {
        name: "queue, overloaded",
        line: "[before] ! queue name=stage max-size-buffers=10 [after] \
               ! identity sleep-time=50000 ! fakesink sync=false",
        questions: &[STAGE],
    },
    Scenario {
        name: "queue, overloaded, leaky",
        line: "[before] ! queue name=stage max-size-buffers=10 leaky=downstream [after] \
               ! identity sleep-time=50000 ! fakesink sync=false",
        questions: &[STAGE],
    },
    Scenario {
        name: "tee",
        line: "[before] ! tee name=tee \
               tee. ! queue ! identity sleep-time=20000 [slow] ! fakesink name=late sync=false \
               tee. ! queue [quick] ! fakesink name=early sync=false",
        questions: &[
            Question {
                name: "slow branch",
                from: CAMERA_PAD,
                to: "late.sink",
                about: About::Sink("late"),
                tap: "slow",
            },
            Question {
                name: "quick branch",
                from: CAMERA_PAD,
                to: "early.sink",
                about: About::Sink("early"),
                tap: "quick",
            },
        ],
    },
];
