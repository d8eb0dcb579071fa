//! The probe at a pad that pushes.

use std::sync::Arc;

use gst::prelude::*;

use super::outlet::Outlet;
use crate::latencytracer::capture_meta;
use crate::runtime::clock;
use crate::runtime::guard::guard;

/// Shows `outlet` every buffer that `pad` pushes, and the latency that it hears of from behind.
pub(super) fn attach(pad: &gst::Pad, outlet: Arc<Outlet>) -> Option<gst::PadProbeId> {
    let buffers = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    let kinds = buffers | gst::PadProbeType::EVENT_UPSTREAM;
    pad.add_probe(kinds, move |_, info| {
        guard("a probe of latencytracer", (), || look(&outlet, info));
        gst::PadProbeReturn::Ok
    })
}

fn look(outlet: &Outlet, info: &mut gst::PadProbeInfo) {
    let now = clock::monotonic();
    match &mut info.data {
        Some(gst::PadProbeData::Buffer(buffer)) => {
            if let Some(frame) = outlet.on_buffer(buffer, now) {
                capture_meta::add(buffer.make_mut(), frame);
            }
        }
        Some(gst::PadProbeData::BufferList(list)) => {
            for index in 0..list.len() {
                let frame = list
                    .get(index)
                    .and_then(|buffer| outlet.on_buffer(buffer, now));
                if let Some(frame) = frame
                    && let Some(buffer) = list.make_mut().get_mut(index)
                {
                    capture_meta::add(buffer, frame);
                }
            }
        }
        Some(gst::PadProbeData::Event(event)) => {
            if let gst::EventView::Latency(latency) = event.view() {
                outlet.on_latency(latency.latency().into());
            }
        }
        _ => (),
    }
}
