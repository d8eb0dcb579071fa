//! Makes tensors on the GPU.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::{Arc, Mutex};

use livetune_core::infer::{CHANNELS, Letterbox};

use super::driver::{Context, Done, Kernel, Memory, Stream};
use super::nvrtc::Nvrtc;
use super::plan::{Plan, Surface};
use super::upload::Upload;
use crate::gpuinfer::engine::{DeviceInput, DeviceTensor};
use crate::gpuinfer::picture::{Picture, Pixels};
use crate::gpuinfer::preprocess::Form;
use crate::runtime::lock::lock;

const SOURCE: &str = include_str!("kernel.cu");
/// Pixels that one block of threads makes: rows of a warp, so that they are written side by side.
const BLOCK: [u32; 2] = [32, 8];

/// One picture of a batch.
pub(in crate::gpuinfer) struct Shown<'a> {
    /// Its place in the tensor.
    pub(in crate::gpuinfer) at: usize,
    pub(in crate::gpuinfer) picture: &'a Picture<'a>,
    pub(in crate::gpuinfer) letterbox: Letterbox,
}

/// All that it takes on one GPU.
pub(in crate::gpuinfer) struct Preparer {
    input: DeviceInput,
    context: Arc<Context>,
    stream: Stream,
    kernel: Kernel,
    /// The frame that is read.
    staging: Option<Memory>,
    tensor: Option<Memory>,
}

impl Preparer {
    /// On the GPU that takes `input`.
    pub(in crate::gpuinfer) fn open(input: DeviceInput) -> Done<Self> {
        let context = Context::open(input.ordinal)?;
        let image = image(context.architecture()?)?;
        Ok(Self {
            stream: Stream::new(&context)?,
            kernel: Kernel::load(&context, &image, c"livetune_prepare")?,
            staging: None,
            tensor: None,
            input,
            context,
        })
    }

    /// A tensor of this `shape` with all that is `shown`, ready on the GPU. What is in its other places is not said.
    pub(in crate::gpuinfer) fn prepare<'a>(
        &mut self,
        form: &Form,
        shape: &'a [usize],
        shown: &[Shown<'_>],
    ) -> Done<DeviceTensor<'a>> {
        let context = self.context.clone();
        let _entered = context.enter()?;
        let bytes = shape.iter().product::<usize>() * self.input.number.bytes();
        room(&mut self.tensor, &self.stream, bytes)?;
        let longest = shown.iter().map(Shown::bytes).max();
        room(&mut self.staging, &self.stream, longest.unwrap_or_default())?;
        let queued = self.queue(form, shown);
        // Frames are let go after this, whatever came of it.
        let done = self.stream.wait();
        queued.and(done)?;
        let memory = self.tensor.as_ref().ok_or("there is no tensor")?;
        Ok(DeviceTensor {
            shape,
            address: memory.address,
            bytes,
        })
    }

    /// Tells the GPU all that is to be done, one picture after the other: the next is not staged before the kernel has
    /// read this one.
    fn queue(&self, form: &Form, shown: &[Shown<'_>]) -> Done<()> {
        let (Some(staging), Some(tensor)) = (&self.staging, &self.tensor) else {
            return Err("there is no memory".to_owned());
        };
        let mut staged: Option<(&Picture<'_>, Surface)> = None;
        for shown in shown {
            let picture = shown.picture;
            let surface = match staged {
                Some((known, surface)) if ptr::eq(known, picture) => surface,
                _ => self.stage(picture, staging)?,
            };
            staged = Some((picture, surface));
            let about = (picture.size, picture.colours);
            let plan = Plan::new(form, &shown.letterbox, about, &surface, self.input.number);
            let pixels = plan.width as usize * plan.height as usize;
            let bytes = pixels * CHANNELS * self.input.number.bytes();
            let start = shown.at * bytes;
            if start + bytes > tensor.bytes {
                return Err(format!("picture {} is not in the tensor", shown.at));
            }
            self.launch(surface.address, tensor.address + start as u64, plan)?;
        }
        Ok(())
    }

    /// Brings `picture` to `staging`; how it lies there.
    fn stage(&self, picture: &Picture<'_>, staging: &Memory) -> Done<Surface> {
        let address = staging.address;
        if let Pixels::Device(surface) = picture.pixels {
            self.stream.copy(staging, surface.address, surface.bytes)?;
            return Ok(Surface { address, ..surface });
        }
        let upload = Upload::of(&picture.pixels, picture.size);
        let upload = upload.ok_or("the planes are shorter than the frame")?;
        let mut at = 0;
        for part in upload.parts.into_iter().filter(|part| !part.is_empty()) {
            self.stream.upload(staging, at, part)?;
            at += part.len();
        }
        let surface = upload.surface;
        Ok(Surface { address, ..surface })
    }

    fn launch(&self, mut frame: u64, mut tensor: u64, mut plan: Plan) -> Done<()> {
        let blocks = [
            (plan.width as u32).div_ceil(BLOCK[0]),
            (plan.height as u32).div_ceil(BLOCK[1]),
        ];
        let mut arguments: [*mut c_void; 3] = [
            (&raw mut frame).cast(),
            (&raw mut tensor).cast(),
            (&raw mut plan).cast(),
        ];
        // SAFETY: they are the kernel's three; staging and tensor stay, and the surface fits in the first.
        unsafe {
            self.stream
                .launch(&self.kernel, (blocks, BLOCK), &mut arguments)
        }
    }
}

impl Shown<'_> {
    /// Of memory that its picture takes.
    fn bytes(&self) -> usize {
        match self.picture.pixels {
            Pixels::Device(surface) => surface.bytes,
            pixels => {
                Upload::of(&pixels, self.picture.size).map_or(0, |upload| upload.surface.bytes)
            }
        }
    }
}

/// Makes `memory` at least so many `bytes` long, where it is not. Nothing works with it.
fn room(memory: &mut Option<Memory>, stream: &Stream, bytes: usize) -> Done<()> {
    if memory.as_ref().is_some_and(|memory| memory.bytes >= bytes) {
        return Ok(());
    }
    // Before the new one, so that there is room for it.
    *memory = None;
    let larger = Memory::new(stream.context(), bytes.max(1))?;
    // Places of a batch that stay empty hold numbers all the same.
    stream.clear(&larger)?;
    *memory = Some(larger);
    Ok(())
}

/// The kernel for GPUs of this `architecture`, compiled by the first who asks.
fn image(architecture: u32) -> Done<Arc<Vec<u8>>> {
    static IMAGES: Mutex<Vec<(u32, Arc<Vec<u8>>)>> = Mutex::new(Vec::new());
    // Held while it is compiled: others want the same.
    let mut images = lock(&IMAGES);
    let known = images.iter().find(|(known, _)| *known == architecture);
    if let Some((_, image)) = known {
        return Ok(image.clone());
    }
    let source = CString::new(SOURCE).map_err(|error| error.to_string())?;
    let image = Arc::new(Nvrtc::open()?.build(&source, architecture)?);
    images.push((architecture, image.clone()));
    Ok(image)
}
