//! Object detection around a neural network: where the frame lies in the network's input, the pixels as a tensor,
//! and the network's numbers as objects in the frame.

mod backoff;
mod decoder;
mod detection;
mod durations;
mod found;
mod head;
mod labels;
mod letterbox;
mod nms;
mod order;
mod region;
mod revisit;
mod roi;
mod schedule;
mod tensor;
mod thresholds;
mod timings;
mod track;

pub use backoff::{Backoff, BackoffConfig, BackoffError};
pub use decoder::Decoder;
pub use detection::{Area, Detection};
pub use durations::Durations;
pub use found::{Class, Found, NamedTensor};
pub use head::{Activation, BoxNumbers, Family, Head, Hints, Output, SUPPORTED, Unit, WrongLength};
pub use labels::Labels;
pub use letterbox::{Letterbox, Placement, Size};
pub use nms::suppress;
pub use order::{
    Boxes, Budget, Cause, Config as OrderConfig, LONGEST_BUDGET, Order, Outcome, Policy, Stamp,
    Step,
};
pub use region::Region;
pub use revisit::{Reason as RevisitReason, Revisit, RevisitConfig};
pub use roi::Rois;
pub use schedule::{
    Batch, Batcher, Config, ConfigError, CostModel, Due, Frame, Reason, StreamId, Submitted,
};
pub use tensor::{
    CHANNELS, ChannelOrder, Element, Layout, Normalisation, Packing, fill, write_pixels,
};
pub use thresholds::{ClassFilter, MAX_OBJECTS, Thresholds};
pub use timings::{BOUNDS, Stage, Stages, Timings};
pub use track::{Tracked, Tracker, TrackerConfig};
