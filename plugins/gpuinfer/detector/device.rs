//! Batches with frames that lie on a GPU: their tensor is made there, and the network takes it from there.

use livetune_core::time::MediaTime;

use super::{Detector, Understood, Work, guarded};
use crate::gpuinfer::cuda::{Preparer, Shown};
use crate::gpuinfer::reuse::emptied;
use crate::runtime::clock;
use crate::runtime::guard::guard;

/// Tensors on the GPU.
#[derive(Default)]
pub(super) struct OnDevice {
    /// What makes them; nothing before it was asked for.
    preparer: Option<Understood<Preparer>>,
    /// Memory for the pictures of a batch.
    shown: Vec<Shown<'static>>,
}

impl Detector {
    /// Whether frames that lie on a GPU can be looked at there; the error says why not.
    pub(in crate::gpuinfer) fn takes_cuda(&mut self) -> Result<(), String> {
        let engine = &*self.engine;
        let preparer = self.device.preparer.get_or_insert_with(|| {
            let input = engine.device_input();
            let input = input.ok_or("the network does not run on CUDA or TensorRT")?;
            let panicked = Err("CUDA panicked".to_owned());
            guard("CUDA", panicked, || Preparer::open(input))
        });
        preparer.as_ref().map(drop).map_err(Clone::clone)
    }

    /// Prepares all of `works` for a tensor of this `shape` and runs the network; when the tensor was ready.
    pub(super) fn run_on_device(
        &mut self,
        works: &mut [Work<'_>],
        shape: &[usize],
    ) -> Result<MediaTime, String> {
        self.takes_cuda()?;
        let (form, slots) = (&self.form, &mut self.slots);
        let mut shown = emptied(std::mem::take(&mut self.device.shown));
        for (at, (work, slot)) in works.iter_mut().zip(slots).enumerate() {
            work.found.clear();
            let seen = form.letterbox(work.picture.size, work.region);
            slot.letterbox = seen.as_ref().ok().copied();
            match seen {
                Ok(letterbox) => shown.push(Shown {
                    at,
                    picture: work.picture,
                    letterbox,
                }),
                Err(why) => work.found.failure = Some(why),
            }
        }
        let Some(Ok(preparer)) = &mut self.device.preparer else {
            return Err("nothing makes tensors on the GPU".to_owned());
        };
        let panicked = Err("CUDA panicked".to_owned());
        let prepared = guard("CUDA", panicked, || preparer.prepare(form, shape, &shown));
        self.device.shown = emptied(shown);
        let tensor = match prepared {
            Ok(tensor) => tensor,
            Err(why) => {
                // Frames are downloaded from now on: it may be the frames, and it may be the GPU.
                self.device.preparer = Some(Err(why.clone()));
                return Err(why);
            }
        };
        let prepared = clock::monotonic();
        let engine = &mut *self.engine;
        guarded(|| engine.run_on_device(tensor)).map_err(|error| error.to_string())?;
        Ok(prepared)
    }
}
