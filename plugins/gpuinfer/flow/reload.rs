//! Another network while frames flow: opened beside the one that serves, which goes on until the other is ready.

use std::sync::Arc;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::{Flow, Loaded};
use crate::gpuinfer::GpuInfer;
use crate::gpuinfer::imp::CAT;
use crate::gpuinfer::settings::Settings;
use crate::runtime::guard::guard;

impl Flow {
    /// Opens what `settings` name in a thread of its own, and lets it take over between two frames. What cannot be
    /// used is refused with a warning.
    pub(in crate::gpuinfer) fn reload(self: &Arc<Self>, element: &GpuInfer, settings: Settings) {
        let generation = self.next_generation();
        let flow = Arc::downgrade(self);
        let element = element.downgrade();
        let work = move || {
            guard("gpuinfer's reload", (), || {
                let opened = Loaded::open(&settings);
                let (Some(flow), Some(element)) = (flow.upgrade(), element.upgrade()) else {
                    return;
                };
                if flow.generation() == generation {
                    flow.on_opened(&element, &settings, opened);
                }
            });
        };
        let spawned = std::thread::Builder::new()
            .name("gpuinfer-reload".to_owned())
            .spawn(work);
        if let Err(error) = spawned {
            gst::error!(CAT, "no thread to load a model: {error}");
        }
    }

    fn on_opened(
        &self,
        element: &GpuInfer,
        settings: &Settings,
        opened: Result<(Arc<Loaded>, Vec<String>), gst::ErrorMessage>,
    ) {
        let imp = element.imp();
        match opened {
            Ok((loaded, warnings)) => {
                self.take_over(loaded);
                imp.warn_all(&warnings);
            }
            Err(error) => {
                let serving = self.loaded();
                imp.put_model_back(settings.model.model.as_deref(), &serving.model);
                gst::element_warning!(
                    element,
                    gst::LibraryError::Settings,
                    (
                        "The model is not changed, {} goes on: {error}",
                        serving.model
                    )
                );
            }
        }
    }
}
