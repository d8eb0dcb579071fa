//! The pads: what each is told and asked goes to `flow`.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::{CAT, GpuInfer};

/// What the pads are told and asked.
impl GpuInfer {
    fn on_buffer(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let flow = self.flow().ok_or(gst::FlowError::Flushing)?;
        flow.on_buffer(self, buffer)
    }

    fn on_list(&self, list: &gst::BufferList) -> Result<gst::FlowSuccess, gst::FlowError> {
        for buffer in list.iter_owned() {
            self.on_buffer(buffer)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn on_sink_event(&self, event: gst::Event) -> bool {
        self.with_flow(|flow| flow.on_sink_event(self, event))
            .unwrap_or(false)
    }

    fn on_source_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        self.with_flow(|flow| flow.on_source_event(self, &event));
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    fn on_sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        if query.is_serialized() {
            let answered = self.with_flow(|flow| flow.on_serialized_query(self, query));
            return answered.unwrap_or(false);
        }
        gst::Pad::query_default(pad, Some(&*self.obj()), query)
    }

    fn on_source_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        if let (Some(flow), gst::QueryViewMut::Latency(query)) = (self.flow(), query.view_mut()) {
            return flow.on_latency_query(self, query);
        }
        gst::Pad::query_default(pad, Some(&*self.obj()), query)
    }

    fn on_active(
        &self,
        pad: &gst::Pad,
        mode: gst::PadMode,
        is_active: bool,
    ) -> Result<(), gst::LoggableError> {
        if mode != gst::PadMode::Push {
            return Err(gst::loggable_error!(CAT, "frames are only pushed"));
        }
        self.with_flow(|flow| {
            if pad.direction() == gst::PadDirection::Sink {
                flow.on_sink_active(self, is_active);
            } else {
                flow.on_source_active(self, is_active);
            }
        });
        Ok(())
    }
}

pub(super) fn sink_pad(template: &gst::PadTemplate) -> gst::Pad {
    let failed = || Err(gst::FlowError::Error);
    gst::Pad::builder_from_template(template)
        .chain_function(move |_, parent, buffer| {
            GpuInfer::catch_panic_pad_function(parent, failed, |imp| imp.on_buffer(buffer))
        })
        .chain_list_function(move |_, parent, list| {
            GpuInfer::catch_panic_pad_function(parent, failed, |imp| imp.on_list(&list))
        })
        .event_function(|_, parent, event| {
            GpuInfer::catch_panic_pad_function(parent, || false, |imp| imp.on_sink_event(event))
        })
        .query_function(|pad, parent, query| {
            GpuInfer::catch_panic_pad_function(
                parent,
                || false,
                |imp| imp.on_sink_query(pad, query),
            )
        })
        .activatemode_function(activate)
        .flags(gst::PadFlags::PROXY_CAPS)
        .build()
}

pub(super) fn src_pad(template: &gst::PadTemplate) -> gst::Pad {
    gst::Pad::builder_from_template(template)
        .event_function(|pad, parent, event| {
            GpuInfer::catch_panic_pad_function(
                parent,
                || false,
                |imp| imp.on_source_event(pad, event),
            )
        })
        .query_function(|pad, parent, query| {
            GpuInfer::catch_panic_pad_function(
                parent,
                || false,
                |imp| imp.on_source_query(pad, query),
            )
        })
        .activatemode_function(activate)
        .flags(gst::PadFlags::PROXY_CAPS)
        .build()
}

fn activate(
    pad: &gst::Pad,
    parent: Option<&gst::Object>,
    mode: gst::PadMode,
    is_active: bool,
) -> Result<(), gst::LoggableError> {
    GpuInfer::catch_panic_pad_function(
        parent,
        || Err(gst::loggable_error!(CAT, "panic while a pad was switched")),
        |imp| imp.on_active(pad, mode, is_active),
    )
}
