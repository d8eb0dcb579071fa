//! Which cameras share a network, and how their frames are put together.

use super::spec::{READY, group, number, text};

/// Pictures in a batch: more than any device works on at once.
const MOST_PICTURES: u32 = 256;
/// Networks that run at the same time: more than a machine has cores.
const MOST_SESSIONS: u32 = 256;
/// A minute.
const LONGEST_MILLIS: u32 = 60_000;

group! {
    /// Which cameras share a network, and how their frames are put together.
    SharingSettings {
        model_instance_id: Option<String> = None, "model-instance-id", text((READY, "Model instance",
            "Elements of this process with the same name here and the same model share one network and its batches \
             (NULL = those with the same model and the same settings of it do)"));
        max_batch_size: u32 = 0, "max-batch-size", number(0, MOST_PICTURES, (READY, "Maximum batch size",
            "Frames of all cameras that share the network that go into it together at most (0 = by device: 1 on a \
             processor, where batches gain nothing, 32 on others, as far as the model takes them)"));
        /// Milliseconds.
        max_queue_delay: u32 = 5, "max-queue-delay", number(0, LONGEST_MILLIS, (READY, "Maximum queue delay",
            "How long, in ms, a frame may wait for others to make a batch; less where it would be late (0 = it never waits)"));
        sessions: u32 = 0, "sessions", number(0, MOST_SESSIONS, (READY, "Sessions",
            "Networks that run at the same time (0 = by device and cameras: on a processor one for each core and camera, \
             on others one)"));
    }
}
