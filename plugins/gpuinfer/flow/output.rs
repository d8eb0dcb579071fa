//! What the thread that pushes works with: the objects at hand, and how they are shown.

use std::sync::Arc;
use std::time::Duration;

use gst_video::VideoInfo;
use livetune_core::infer::{Boxes, Size, Stages};

use super::serving::Loaded;
use crate::gpuinfer::instance::Answer;
use crate::gpuinfer::objects::{Object, Origin};
use crate::gpuinfer::presenter::{About, Presenter, Wanted};

pub(super) struct Output {
    loaded: Arc<Loaded>,
    presenter: Presenter,
    /// Of the last frame that has some.
    objects: Vec<Object>,
    batch_size: u32,
    stages: Stages,
    /// Of the last frame that was pushed.
    frame: Size,
    /// A frame was dropped before the next one.
    pub(super) is_discontinued: bool,
}

impl Output {
    pub(super) fn new(loaded: Arc<Loaded>) -> Self {
        Self {
            loaded,
            presenter: Presenter::default(),
            objects: Vec::new(),
            batch_size: 0,
            stages: Stages::default(),
            frame: Size::new(0, 0),
            is_discontinued: false,
        }
    }

    /// Answers the network that served until now.
    pub(super) fn serve(&mut self, loaded: Arc<Loaded>) -> Arc<Loaded> {
        self.objects.clear();
        std::mem::replace(&mut self.loaded, loaded)
    }

    /// Frames are of this size from now on; answers are for those.
    pub(super) const fn on_frame(&mut self, frame: Size) {
        self.frame = frame;
    }

    /// These are the objects from now on.
    pub(super) fn take(&mut self, answer: &Answer) {
        let frame = self.frame;
        self.batch_size = answer.batch_size;
        self.stages = answer.stages;
        self.objects.clear();
        let found = answer.found.iter().flat_map(|found| &found.objects);
        self.objects
            .extend(found.map(|found| Object::inferred(found, frame)));
    }

    pub(super) const fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Shows the objects at hand on `buffer`; answers the message to post.
    pub(super) fn show(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        boxes: &Boxes<()>,
        wanted: Wanted,
    ) -> Result<Option<gst::Structure>, String> {
        let (origin, age) = match *boxes {
            Boxes::Own(()) => (Origin::Inferred, Duration::ZERO),
            Boxes::Carried(age) => (Origin::Carried { age }, age),
            Boxes::Bare => return Ok(None),
        };
        for object in &mut self.objects {
            object.origin = origin;
        }
        let about = About {
            labels: self.loaded.instance.labels(),
            model: &self.loaded.model,
            pts: buffer.pts(),
            inferred: origin == Origin::Inferred,
            age,
            batch_size: self.batch_size,
            stages: self.stages,
        };
        self.presenter
            .present(buffer, info, &self.objects, &about, wanted)
    }
}
