//! Tells the application of frames that were dropped, as GStreamer's own elements do.

use gst::format::Buffers;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::{Flow, Frame};
use crate::gpuinfer::imp::GpuInfer;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// The quality of what is not dropped, as decoders say it: all of it.
const QUALITY: i32 = 1_000_000;

impl Flow {
    /// A frame was dropped: it is counted and told of, and its memory is given back.
    pub(super) fn on_dropped(&self, imp: &GpuInfer, mut frame: Frame) {
        let (is_live, (processed, dropped)) = {
            let inner = &mut *lock(&self.inner);
            (inner.is_live == Some(true), inner.report.on_dropped())
        };
        if let (Some(stage), Some(visit)) = (&self.second_stage, frame.visit.take()) {
            lock(stage).abandon(visit);
        }
        let (pts, segment) = (frame.buffer.pts(), frame.segment.as_ref());
        // How much later than it should have had its objects.
        let late =
            i128::from(clock::monotonic().as_nanos()) - i128::from(frame.deadline.as_nanos());
        // Frames that came for each that goes on: so many times faster the network would have to be.
        let proportion = (processed + dropped) as f64 / processed.max(1) as f64;
        let message = gst::message::Qos::builder(is_live)
            .running_time(segment.and_then(|segment| segment.to_running_time(pts)))
            .stream_time(segment.and_then(|segment| segment.to_stream_time(pts)))
            .timestamp(pts)
            .duration(frame.buffer.duration())
            .values(late as i64, proportion, QUALITY)
            .stats(Buffers::from_u64(processed), Buffers::from_u64(dropped))
            .src(&*imp.obj())
            .build();
        drop(frame);
        let _ = imp.obj().post_message(message);
    }
}
