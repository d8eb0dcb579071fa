//! The recycling allocator in pipelines: as GStreamer's default, within its limits, and with input that is hard on it.
//!
//! Each test has a process for itself: the default allocator and the free blocks are one in a process.

mod default;
mod limits;
mod trouble;

use gstlivetune::memory::{Figures, figures};

use crate::support::pipeline::Pipeline;

/// Frames of 1.4 MB that are copied because somebody else holds the original, each time: the copies are memory that no
/// pool gives.
fn copies_on_write(frames: u32) -> String {
    format!(
        "videotestsrc num-buffers=1 pattern=ball ! video/x-raw,format=NV12,width=1280,height=720,framerate=30/1 ! \
         imagefreeze num-buffers={frames} ! videobalance contrast=1.1 ! queue max-size-buffers=3 ! fakesink name=end"
    )
}

/// What `line` adds to the books when it runs to its end.
fn books_of(line: &str) -> Figures {
    let before = figures();
    Pipeline::parse(line).run_to_eos();
    let after = figures();
    let mut added = after;
    added.allocations -= before.allocations;
    added.blocks.hits -= before.blocks.hits;
    added.blocks.misses -= before.blocks.misses;
    added
}

/// Threads of this process that are called `name`.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| {
        let file = task.ok()?.path().join("comm");
        std::fs::read_to_string(file).ok()
    });
    names.filter(|it| it.trim() == name).count()
}

/// Page faults without I/O that this process has had.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let field = fields.split_whitespace().nth(7).unwrap();
    field.parse().unwrap()
}

fn default_allocator() -> gst::Allocator {
    gst::Allocator::find(None).unwrap()
}
