//! The way of buffers, events and states through the element.

use std::sync::atomic::Ordering;

use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;

use super::imp::AdaptiveBitrate;
use super::state::State;
use super::transport::twcc;
use crate::runtime::lock::lock;
use crate::runtime::{clock, telemetry};

/// The frames a second that `caps` promise.
fn frame_rate(caps: &gst::CapsRef) -> Option<f64> {
    let rate = caps.structure(0)?.get::<gst::Fraction>("framerate").ok()?;
    Some(f64::from(rate.numer()) / f64::from(rate.denom()))
}

impl BaseTransformImpl for AdaptiveBitrate {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let settings_error =
            |text: String| gst::error_msg!(gst::LibraryError::Settings, ("{text}"));
        let limits = settings.limits().map_err(settings_error)?;
        let registration = telemetry::register(self, super::FACTORY, None);
        let state = State::new(limits, &settings, registration);
        let state = state.map_err(|error| settings_error(error.to_string()))?;
        *lock(&self.state) = Some(state);
        self.apply_profile();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let state = lock(&self.state).take();
        if let Some((encoder, setting)) = state.as_ref().and_then(State::farewell) {
            encoder.set(setting);
        }
        drop(state);
        self.target.store(0, Ordering::Relaxed);
        self.estimate.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if matches!(
            event.type_(),
            gst::EventType::StreamStart | gst::EventType::Caps
        ) {
            self.relinked.store(true, Ordering::Relaxed);
        }
        if event.type_() == gst::EventType::FlushStop
            && let Some(state) = &mut *lock(&self.state)
        {
            state.network.on_flush();
        }
        if let gst::EventView::Caps(caps) = event.view() {
            let rate = frame_rate(caps.caps());
            let mut state = lock(&self.state);
            if let Some(state) = state.as_mut() {
                state.on_caps(rate);
            }
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Reconfigure {
            self.relinked.store(true, Ordering::Relaxed);
        }
        if let Some(packets) = event.structure().filter(|s| s.name() == twcc::EVENT)
            && let Some(state) = &mut *lock(&self.state)
        {
            state.network.on_twcc(packets, clock::monotonic());
        }
        self.parent_src_event(event)
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        // The base class asks again as soon as it has pushed the last output.
        self.on_push_returned();
        let output = self.parent_generate_output()?;
        if let GenerateOutputSuccess::Buffer(buffer) = &output {
            self.on_push(buffer);
        }
        Ok(output)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.on_buffer(buffer);
        Ok(gst::FlowSuccess::Ok)
    }
}
