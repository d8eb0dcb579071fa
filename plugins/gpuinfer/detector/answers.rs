//! The outputs of one run, picture by picture.

use livetune_core::infer::Output;

use super::Understood;
use crate::gpuinfer::engine::Engine;

/// Outputs that are looked at; no network that is known has more.
const MOST: usize = 16;

/// What a batch came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers<'a> {
    /// Of all pictures.
    all: [Output<'a>; MOST],
    count: usize,
    pictures: usize,
}

/// One picture's part of the outputs.
pub(super) struct Answer<'a> {
    outputs: [Output<'a>; MOST],
    count: usize,
}

impl<'a> Answers<'a> {
    /// Of the last run of `engine`, which saw so many `pictures`. An output that is no tensor of numbers is empty.
    pub(super) fn of(engine: &'a dyn Engine, pictures: usize) -> Understood<Self> {
        let mut all = [Output::default(); MOST];
        let infos = engine.outputs().iter().take(MOST);
        let count = infos.len();
        for (index, (place, info)) in all.iter_mut().zip(infos).enumerate() {
            place.name = &info.name;
            let Some(output) = engine.output(index) else {
                continue;
            };
            place.data = output.data;
            place.shape = match output.shape.split_first() {
                Some((first, rest)) if *first == pictures => rest,
                // Some leave the batch out where it is 1.
                _ if pictures == 1 => output.shape,
                _ => {
                    let (name, shape) = (&info.name, output.shape);
                    return Err(format!(
                        "the output {name} is {shape:?} for {pictures} pictures"
                    ));
                }
            };
        }
        Ok(Self {
            all,
            count,
            pictures,
        })
    }

    /// Those of picture number `at`.
    pub(super) fn one(&self, at: usize) -> Answer<'a> {
        let part = |output: Output<'a>| {
            let length = output.data.len() / self.pictures.max(1);
            let data = output.data.get(at * length..(at + 1) * length);
            Output {
                data: data.unwrap_or_default(),
                ..output
            }
        };
        Answer {
            outputs: self.all.map(part),
            count: self.count,
        }
    }
}

impl<'a> Answer<'a> {
    pub(super) fn outputs(&self) -> &[Output<'a>] {
        &self.outputs[..self.count]
    }
}
