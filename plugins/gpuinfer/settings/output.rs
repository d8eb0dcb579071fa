//! How objects are shown.

use super::spec::{PLAYING, flag, group};
use crate::gpuinfer::presenter::Wanted;

group! {
    /// How objects are shown.
    OutputSettings {
        draw: bool = false, "draw", flag((PLAYING, "Draw",
            "Draw boxes, labels and confidence into the picture; a frame that others see too is copied for that"));
        post_messages: bool = false, "post-messages", flag((PLAYING, "Post messages",
            "Post a livetune-detections message on the bus for every frame that has objects of its own or carries some"));
    }
}

impl OutputSettings {
    pub(super) const fn wanted(&self) -> Wanted {
        Wanted {
            draw: self.draw,
            message: self.post_messages,
        }
    }
}
