//! `bufferrecycler`: no frame is allocated twice, no camera is starved, no memory grows without bound.
//!
//! Data passes unchanged. The element does five things, each of which helps in some pipelines and in others gains nothing;
//! `advise` says which is the case, from what it counted:
//!
//! - **A pool for upstream** (`propose=pool`, the default). Upstream elements ask downstream where to take buffers from (the
//!   ALLOCATION query); many sinks, encoders and applications answer nothing, a `tee` strips the answer. For raw video in
//!   system memory the answer is a pool of ours, sized by what downstream advises. A plain GstVideoBufferPool of downstream
//!   gives way to it, any other pool is kept and only its minimum raised. Ours **shrinks again** after a stall
//!   (`idle-trim`), where a stock pool keeps what it ever had; and at its maximum upstream waits for `max-wait` only, then
//!   it grows or drops (`when-full`), with one warning, where a stock pool waits for ever. Processor time is gained only
//!   where upstream has no pool of its own (plain GstBaseSrc and GstBaseTransform) and malloc takes new memory for each
//!   frame: above 32 MiB with glibc, from a few MiB with musl or jemalloc. Most video elements bring pools since 1.20:
//!   there nothing is gained but the shrinking and what survives changes of caps.
//! - **More capture buffers** (`extra-buffers`). Queues hold buffers and never ask for them. The minimum in the answer is
//!   raised by so many, never a maximum, and v4l2src and decoders allocate them. It costs their memory.
//! - **Copies while a camera runs out of buffers** (`copy-out=when-low`, the default). Where upstream's own pool has a
//!   maximum and all but two of its buffers are held downstream, frames are copied into recycled memory and the camera has
//!   its buffer back at once. Nothing is copied, or even counted, where a pool has no maximum. Each copy is processor
//!   time; `extra-buffers` is cheaper where the driver has more.
//! - **A recycling allocator for the process** (`process-allocator=true`, off by default because it changes the default of
//!   the whole process). It serves what no pool can: copies on write behind a `tee`, overlays, encoders, compositors. This
//!   is where most processor time can be gained: several times the throughput at 5K and 8K, with any frame under musl or
//!   jemalloc; with glibc and frames below 32 MiB nothing. `propose=allocator` offers the same memory to elements upstream
//!   alone (decoders, encoders).
//! - **Sight.** `stats` and `livetune-buffers` messages: a pool of ours ran dry (`reason` pool-dry), a camera's pool ran low or
//!   dry (upstream-low, upstream-dry, also with `copy-out=never`), a buffer is held for longer than `hold-warning`
//!   (buffer-held); page faults; where the memory of what passed came from. `poison` finds who writes into frames that
//!   it gave back.
//!
//! Place it behind the element whose frames it is about, in front of any `tee` or `queue`:
//!
//! ```text
//! gst-launch-1.0 v4l2src ! bufferrecycler extra-buffers=8 ! queue ! videoconvert ! autovideosink
//! gst-launch-1.0 videotestsrc ! video/x-bayer,width=5120,height=2160 ! bayer2rgb !
//!     bufferrecycler min-buffers=4 ! queue ! fakesink
//! ```
//!
//! `role` and the presets `frame`, `encode` and `network` set numbers, sizes and alignments for a purpose.
//!
//! What it cannot do: sources that wrap memory of their own (multifilesrc, an appsrc, Python's bytes) and elements that send
//! no ALLOCATION query (filesrc) are reached by neither pool nor allocator. Frames in memory of a device (CUDA, GL, DMABuf
//! caps) pass untouched and are counted; no pool is offered for them. A recycled frame holds the pixels of an earlier one
//! until upstream has written it, as with any pool.
//!
//! How pools are negotiated: GStreamer's design document "bufferpool".
mod copying;
mod dataflow;
mod faults;
mod held;
mod imp;
pub mod memory;
mod offer;
mod options;
mod pool;
mod proposal;
mod report;
mod say;
mod settings;
mod state;
mod upstream;
mod watch;

use gst::glib;
use gst::prelude::*;

const FACTORY: &str = "bufferrecycler";

glib::wrapper! {
    pub struct BufferRecycler(ObjectSubclass<imp::BufferRecycler>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object,
        @implements gst::Preset;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = BufferRecycler::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
