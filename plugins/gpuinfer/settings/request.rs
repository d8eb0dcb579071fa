//! What is asked of the network.

use std::time::Duration;

use super::Settings;
use crate::gpuinfer::instance::{Request, ScheduleOptions};
use crate::gpuinfer::options::{ModelOptions, Said};

impl Settings {
    /// The network that is to be opened. Files that it names are read.
    pub(in crate::gpuinfer) fn request(&self) -> Result<Request, gst::ErrorMessage> {
        let model = &self.model;
        let Some(path) = model.model.as_deref().filter(|path| !path.is_empty()) else {
            return Err(gst::error_msg!(
                gst::LibraryError::Settings,
                ("No model is set: set the property model to the path of an .onnx file")
            ));
        };
        let sharing = &self.sharing;
        let key = sharing.model_instance_id.clone();
        Ok(Request {
            path: path.into(),
            engine: self.engine.options(),
            model: ModelOptions::read(Said {
                model: path,
                decoder: model.decoder,
                labels: model.labels.as_deref(),
                config: model.model_config.as_deref(),
            })?,
            schedule: ScheduleOptions {
                max_batch: sharing.max_batch_size,
                max_queue_delay: Duration::from_millis(sharing.max_queue_delay.into()),
                sessions: sharing.sessions,
            },
            key: key.filter(|key| !key.is_empty()),
        })
    }
}
