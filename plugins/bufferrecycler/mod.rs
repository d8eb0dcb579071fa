//! `bufferrecycler`: frames are written into memory that was used before.
//!
//! Upstream elements ask downstream where to take buffers from (the ALLOCATION query). Many sinks, encoders and
//! applications answer nothing, and then an element without a pool of its own allocates every frame. This element
//! passes everything through untouched and answers in their place: with a pool for raw video in system memory, sized
//! by what downstream advises and by `min-buffers` and `max-buffers`. Video filters (`videoscale`, `videoconvert`)
//! offer a plain GstVideoBufferPool: ours takes its place, with its numbers and options, so that its buffers are
//! counted. Any other pool of downstream (of a display, a camera, shared memory) is kept and only its minimum raised,
//! which also gives a camera or a decoder more buffers to work with.
//!
//! Place it behind the element whose frames shall be recycled and in front of what offers no pool or a plain one: a
//! sink, an encoder, an application, a `tee` (which drops pools), a filter:
//!
//! ```text
//! gst-launch-1.0 videotestsrc ! video/x-bayer,width=5120,height=2160 ! bayer2rgb !
//!     bufferrecycler min-buffers=4 ! queue ! fakesink
//! ```
//!
//! It helps upstream elements that use a pool only when they are offered one (plain GstBaseSrc and GstBaseTransform as
//! above), with frames that the allocator does not recycle by itself: above 32 MiB with glibc, from a few MiB with musl
//! or jemalloc. The line above then takes half the processor time and no page faults. Most video elements bring a pool
//! of their own since GStreamer 1.20, and software decoders push copies of what they decoded into a pool: then nothing
//! is gained. `stats` tells which is the case (`offered`, `offered-reason`, and `recycled` of `buffers`).
//!
//! A recycled frame holds the pixels of an earlier one until upstream has written it, as with any pool.
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
mod source;
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
