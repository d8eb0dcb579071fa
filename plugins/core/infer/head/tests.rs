//! Heads on outputs made by hand; expected boxes and confidences are worked out beside each.

mod faces;
mod families;
mod fuzz;
mod shapes;
mod yolo;

use super::super::detection::{Area, Detection};
use super::*;

const INPUT: Size = Size::new(64, 64);
/// 8 x 8 + 4 x 4 + 2 x 2 cells of strides 8, 16 and 32 in it.
const CELLS: usize = 84;

/// An output with its own numbers.
#[derive(Clone, Debug)]
struct Made {
    name: &'static str,
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Made {
    fn new(name: &'static str, shape: &[usize]) -> Self {
        let data = vec![0.0; shape.iter().product()];
        let shape = shape.to_vec();
        Self { name, shape, data }
    }

    fn full(name: &'static str, shape: &[usize], value: f32) -> Self {
        let mut made = Self::new(name, shape);
        made.data.fill(value);
        made
    }

    fn output(&self) -> Output<'_> {
        Output {
            name: self.name,
            shape: &self.shape,
            data: &self.data,
        }
    }

    /// Puts `numbers` into row `at`.
    fn row(mut self, at: usize, numbers: &[f32]) -> Self {
        let columns = self.shape.last().copied().unwrap_or(1);
        self.data[at * columns..at * columns + numbers.len()].copy_from_slice(numbers);
        self
    }

    /// Puts `numbers` into column `at`.
    fn column(mut self, at: usize, numbers: &[f32]) -> Self {
        let columns = self.shape.last().copied().unwrap_or(1);
        for (row, number) in numbers.iter().enumerate() {
            self.data[row * columns + at] = *number;
        }
        self
    }
}

fn outputs(made: &[Made]) -> Vec<Output<'_>> {
    made.iter().map(Made::output).collect()
}

fn recognise(family: Option<Family>, made: &[Made], hints: &Hints) -> Option<Head> {
    Head::recognise(family, &outputs(made), INPUT, hints)
}

/// What is found in `made` by whoever its shapes speak for, without suppression.
fn find(made: &[Made], confidence: f32) -> (Family, Vec<Detection>) {
    let head = recognise(None, made, &Hints::default()).expect("known shapes");
    (head.family(), read(&head, made, confidence).objects)
}

fn read(head: &Head, made: &[Made], confidence: f32) -> Found {
    let thresholds = Thresholds {
        confidence,
        ..Thresholds::default()
    };
    let mut found = Found::default();
    head.read(
        &outputs(made),
        &thresholds,
        &mut Scratch::default(),
        &mut found,
    )
    .expect("right lengths");
    found
}

/// One object of this class, confidence and edges, within a thousandth.
#[track_caller]
fn assert_is(object: &Detection, class: usize, confidence: f32, edges: [f32; 4]) {
    assert_eq!(object.class, class);
    assert!((object.confidence - confidence).abs() < 1e-4, "{object:?}");
    let Area {
        left,
        top,
        right,
        bottom,
    } = object.area;
    for (edge, expected) in [left, top, right, bottom].into_iter().zip(edges) {
        assert!((edge - expected).abs() < 1e-3, "{object:?} not {edges:?}");
    }
}
