//! How objects are shown.

use super::spec::{PLAYING, READY, choice, flag, group, text};
use crate::gpuinfer::object_settings::ObjectSettings;
use crate::gpuinfer::presenter::Wanted;
use crate::gpuinfer::{Metadata, Publish, Tracking};

group! {
    /// How objects are shown.
    OutputSettings {
        tracker: Tracking = Tracking::None, "tracker", choice((READY, "Tracker",
            "How objects are followed from frame to frame, each with an id of its own"));
        metadata: Metadata = Metadata::Auto, "metadata", choice((READY, "Metadata",
            "Which metas the frames get"));
        draw: bool = false, "draw", flag((PLAYING, "Draw",
            "Draw boxes, labels and confidence into the picture; a frame that others see too is copied for that"));
        post_messages: bool = false, "post-messages", flag((PLAYING, "Post messages",
            "Post a livetune-detections message on the bus for every frame that has objects of its own or carries some"));
        publish: Publish = Publish::None, "publish", choice((READY, "Publish",
            "How the objects of each frame are written to publish-location"));
        publish_location: Option<String> = None, "publish-location", text((READY, "Publish location",
            "Where publish writes to: path of a file, which is made anew, or of a named pipe; - is the standard output"));
    }
}

impl OutputSettings {
    pub(in crate::gpuinfer) fn objects(&self) -> ObjectSettings {
        ObjectSettings {
            tracker: self.tracker,
            metadata: self.metadata,
            publish: self.publish,
            publish_location: self.publish_location.clone(),
        }
    }

    pub(super) const fn wanted(&self) -> Wanted {
        Wanted {
            draw: self.draw,
            message: self.post_messages,
        }
    }
}
