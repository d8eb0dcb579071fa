//! Fixtures that the tests share.

pub mod allocations;
pub mod alone;
pub mod launch;
pub mod media;
pub mod nginx;
pub mod onnxruntime;
pub mod pipeline;
pub mod python;
pub mod shaper;
pub mod wait;

use std::sync::Once;

/// Starts GStreamer and registers the elements under test in this process.
pub fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstlivetune::plugin_register_static().unwrap();
    });
}
