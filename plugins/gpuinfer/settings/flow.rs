//! When frames wait for the network, and for how long.

use gst::glib;

use super::spec::{PLAYING, READY, choice, group, number};

/// Who waits for the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferMode")]
pub enum Mode {
    /// A queue with a thread of its own behind it.
    #[default]
    #[enum_value(
        name = "Frames wait in a queue; a thread of the element's own pushes them",
        nick = "async"
    )]
    Async,
    /// The thread that brings the frames.
    #[enum_value(
        name = "The thread that brings a frame waits and pushes it: no queue",
        nick = "sync"
    )]
    Sync,
}

/// What to do with a frame whose objects are not there in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferLatePolicy")]
pub enum LatePolicy {
    /// Skip where the source is live, else block.
    #[default]
    #[enum_value(name = "skip where the source is live, else block", nick = "auto")]
    Auto,
    /// It waits, however long.
    #[enum_value(
        name = "Every frame waits for its objects, and upstream waits with it",
        nick = "block"
    )]
    Block,
    /// It goes on without.
    #[enum_value(
        name = "A late frame goes on with the last objects and their age, or with none",
        nick = "skip"
    )]
    Skip,
    /// It is dropped.
    #[enum_value(name = "A frame without objects of its own is dropped", nick = "drop")]
    Drop,
}

/// Frames in the queue: some seconds of any camera, and an end for the memory.
const MOST_FRAMES: u32 = 1000;
/// A frame of every hour of video at 25 frames per second.
const LONGEST_INTERVAL: u32 = 90_000;
/// An hour.
const LONGEST_MILLIS: u32 = 3_600_000;

group! {
    /// When frames wait for the network, and for how long.
    FlowSettings {
        mode: Mode = Mode::Async, "mode", choice((READY, "Mode",
            "Who waits for the network: a queue in the element, or the thread that brings the frames"));
        late_policy: LatePolicy = LatePolicy::Auto, "late-policy", choice((PLAYING, "Late policy",
            "What to do with a frame whose objects are not there in time, or that the network had no time for"));
        queue_size: u32 = 25, "queue-size", number(1, MOST_FRAMES, (READY, "Queue size",
            "Frames that wait in the element at most. When one more comes, late-policy=block makes upstream wait; else \
             the oldest frame waits no longer for the network, and is dropped where downstream does not take it"));
        inference_interval: u32 = 1, "inference-interval", number(1, LONGEST_INTERVAL, (PLAYING, "Inference interval",
            "Give every n-th frame to the network (1 = every frame); those between carry the objects of the last one"));
        /// Milliseconds.
        max_age: u32 = 1000, "max-age", number(0, LONGEST_MILLIS, (PLAYING, "Maximum age",
            "How old, in ms, objects may be that a frame without a result of its own carries (0 = it carries none)"));
        /// Milliseconds.
        max_latency: u32 = 0, "max-latency", number(0, LONGEST_MILLIS, (PLAYING, "Maximum latency",
            "How long, in ms, a frame may wait for its objects; the latency that the pipeline is told (0 = learned: one \
             frame interval and two inference times, at most 1000 and what three quarters of the queue hold)"));
    }
}
