//! Object detection around a neural network: where the frame lies in the network's input, the pixels as a tensor,
//! and the network's numbers as objects in the frame.

mod decoder;
mod detection;
mod durations;
mod head;
mod labels;
mod letterbox;
mod nms;
mod schedule;
mod tensor;
mod timings;

pub use decoder::{Decoder, MAX_OBJECTS, Thresholds};
pub use detection::{Area, Detection};
pub use durations::Durations;
pub use head::{Family, Head, SUPPORTED, WrongLength};
pub use labels::Labels;
pub use letterbox::{Letterbox, Placement, Size};
pub use nms::suppress;
pub use schedule::{
    Batch, Batcher, Config, ConfigError, CostModel, Due, Frame, Reason, StreamId, Submitted,
};
pub use tensor::{ChannelOrder, Normalisation, Packing, fill, write_pixels};
pub use timings::{BOUNDS, Stage, Stages, Timings};
