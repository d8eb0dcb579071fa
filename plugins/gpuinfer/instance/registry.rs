//! Which networks run in this process, so that nobody loads what is there.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::network::ModelSource;
use super::{
    About, ActiveDevice, EngineOptions, Instance, ModelOptions, Request, ScheduleOptions, Sizes,
};
use crate::gpuinfer::{engine, model};
use crate::runtime::lock::lock;

/// Digests of files that are remembered.
const REMEMBERED: usize = 64;
/// Bytes of a file that are read at a time.
const CHUNK: usize = 1 << 18;

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static DIGESTS: Mutex<Vec<(Stamp, Sum)>> = Mutex::new(Vec::new());

type Sum = [u8; 32];

/// A file as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// What instances are told apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    name: Option<String>,
    digest: Sum,
    /// Not where a name says what is shared.
    options: Option<Options>,
}

type Options = (EngineOptions, ModelOptions, ScheduleOptions);

#[derive(Clone)]
struct Entry {
    key: Key,
    /// Locked while the network is loaded, so that those who want the same wait for it. With it, how it was opened.
    cell: Arc<Mutex<(Weak<Instance>, Options)>>,
}

/// The instance that `request` wants, and what is not as it was asked for.
pub(super) fn open(request: &Request) -> Result<(Arc<Instance>, Vec<String>), gst::ErrorMessage> {
    let options = (
        request.engine.clone(),
        request.model.clone(),
        request.schedule.clone(),
    );
    model::check_model(&request.path.to_string_lossy())?;
    let stamp = Stamp::of(&request.path).map_err(|error| unreadable(request, &error))?;
    let model_bytes = stamp.bytes;
    let key = Key {
        name: request.key.clone(),
        digest: digest(request, stamp.clone())?,
        options: request.key.is_none().then(|| options.clone()),
    };
    let entry = entry(key, &options);
    let mut cell = lock(&entry.cell);
    let running = cell.0.upgrade().filter(|known| known.trouble().is_none());
    if let Some(instance) = running {
        let mut warnings = lock(&instance.floor.facts).warnings.clone();
        if cell.1 != options {
            let name = request.key.as_deref().unwrap_or_default();
            warnings.push(format!(
                "model-instance-id {name} is shared with an element that has other options, which are in force: give \
                 this one the same options, or another model-instance-id"
            ));
        }
        return Ok((instance, warnings));
    }
    let sizes = |device| Sizes::of(device, request.schedule.max_batch, usize::MAX);
    let (sizes, on_processor) = (sizes(ActiveDevice::Accelerator), sizes(ActiveDevice::Cpu));
    let source = ModelSource {
        path: request.path.clone(),
        engine: EngineOptions {
            max_batch: sizes.max_batch as u32,
            processor_batch: on_processor.max_batch as u32,
            ..request.engine.clone()
        },
        model: request.model.clone(),
        sizes: sizes.preferred,
        stamp,
        stock: Mutex::default(),
    };
    let about = About {
        threads: request.engine.threads,
        cores: engine::cores(),
        model_bytes,
    };
    let instance = Instance::start(Box::new(source), &request.schedule, about)?;
    let instance = Arc::new(instance);
    *cell = (Arc::downgrade(&instance), options);
    let warnings = lock(&instance.floor.facts).warnings.clone();
    Ok((instance, warnings))
}

/// The entry of `key`, a new one where there is none; those whose instance is gone are forgotten.
fn entry(key: Key, options: &Options) -> Entry {
    let mut entries = lock(&ENTRIES);
    entries.retain(|entry| {
        let is_loading = Arc::strong_count(&entry.cell) > 1;
        is_loading || lock(&entry.cell).0.strong_count() > 0
    });
    if let Some(known) = entries.iter().find(|entry| entry.key == key) {
        return known.clone();
    }
    let cell = Arc::new(Mutex::new((Weak::new(), options.clone())));
    let entry = Entry { key, cell };
    entries.push(entry.clone());
    entry
}

impl Stamp {
    /// As the file at `path` is now; the error is the system's.
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
        Ok(Self {
            path: path.to_owned(),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// The SHA-256 of the model, read once as long as the file stays as it is.
fn digest(request: &Request, stamp: Stamp) -> Result<Sum, gst::ErrorMessage> {
    let known = lock(&DIGESTS)
        .iter()
        .find(|(known, _)| *known == stamp)
        .map(|(_, sum)| *sum);
    if let Some(sum) = known {
        return Ok(sum);
    }
    let mut hasher = Sha256::new();
    let mut read = || -> io::Result<()> {
        let mut file = File::open(&request.path)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                bytes => hasher.update(&chunk[..bytes]),
            }
        }
    };
    read().map_err(|error| unreadable(request, &error.to_string()))?;
    let sum: Sum = hasher.finalize().into();
    let mut digests = lock(&DIGESTS);
    digests.retain(|(known, _)| known.path != stamp.path);
    if digests.len() >= REMEMBERED {
        digests.remove(0);
    }
    digests.push((stamp, sum));
    Ok(sum)
}

fn unreadable(request: &Request, error: &str) -> gst::ErrorMessage {
    let path = request.path.display();
    gst::error_msg!(
        gst::ResourceError::Read,
        ("The file {path} cannot be read ({error}): set the property model to the path of a file that can")
    )
}
