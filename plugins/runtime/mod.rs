//! What the elements have in common. Knows GStreamer, knows no element; a thing enters when a second element needs it.

pub(crate) mod clock;
pub(crate) mod encoder;
pub(crate) mod figures;
pub(crate) mod guard;
pub(crate) mod lock;
pub(crate) mod pads;
pub(crate) mod stats;
pub(crate) mod telemetry;
pub(crate) mod walk;
pub(crate) mod wire;
