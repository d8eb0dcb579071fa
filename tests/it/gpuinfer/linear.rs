//! Small networks whose outputs depend on the mean of each colour of the picture, linearly.

use std::path::PathBuf;

use super::onnx::{
    field, node, node_with_axes, of_graph, tensor, value_info, whole_numbers, write_model,
};

/// An output whose numbers are those given, and more of some of them the more of a colour is in the picture.
pub struct Linear {
    name: &'static str,
    /// Without the batch.
    shape: Vec<u64>,
    numbers: Vec<f32>,
    /// One row for each channel of the input.
    weights: [Vec<f32>; 3],
}

impl Linear {
    /// Zeros, at first. `shape` is without the batch.
    pub fn new(name: &'static str, shape: &[u64]) -> Self {
        let count = shape.iter().product::<u64>() as usize;
        Self {
            name,
            shape: shape.to_vec(),
            numbers: vec![0.0; count],
            weights: std::array::from_fn(|_| vec![0.0; count]),
        }
    }

    /// All numbers, for whatever picture.
    pub fn fill(mut self, number: f32) -> Self {
        self.numbers.fill(number);
        self
    }

    /// The number at this place is `number` and so much more for each channel's mean.
    pub fn set(mut self, at: usize, number: f32, colours: [f32; 3]) -> Self {
        self.numbers[at] = number;
        for (weights, factor) in self.weights.iter_mut().zip(colours) {
            weights[at] = factor;
        }
        self
    }

    /// The nodes and weights that make it of `colours`.
    fn parts(&self) -> Vec<Vec<u8>> {
        let named = |what: &str| format!("{what} of {}", self.name);
        let (weights, numbers, shape) = (named("weights"), named("numbers"), named("shape"));
        let (product, sum) = (named("product"), named("sum"));
        let count = self.numbers.len() as u64;
        let sizes = self.shape.iter().map(|size| *size as i64);
        let sizes: Vec<i64> = [-1].into_iter().chain(sizes).collect();
        vec![
            node("MatMul", &["colours", &weights], &product, &[]),
            node("Add", &[&product, &numbers], &sum, &[]),
            node("Reshape", &[&sum, &shape], self.name, &[]),
            field(5, &tensor(&weights, &[3, count], &self.weights.concat())),
            field(5, &tensor(&numbers, &[1, count], &self.numbers)),
            field(5, &whole_numbers(&shape, &sizes)),
        ]
    }
}

/// A model for pictures of `width` by `height`, whose outputs depend on the mean of each channel. `batch`: how many
/// pictures it takes at once, any number where there is none.
pub fn linear(batch: Option<u64>, (width, height): (u64, u64), outputs: &[Linear]) -> PathBuf {
    let means = [reshape("means", "colours")];
    linear_of(batch, (width, height), outputs, &means)
}

/// As [`linear`], for any number of pictures: each gets the answer for all of its batch together.
pub fn mixing(size: (u64, u64), outputs: &[Linear]) -> PathBuf {
    let mixed = [
        reshape("means", "own"),
        node_with_axes("ReduceMean", "own", "all", &[0]),
        node("Mul", &["own", "nought"], "nothing", &[]),
        node("Add", &["all", "nothing"], "colours", &[]),
        field(5, &tensor("nought", &[], &[0.0])),
    ];
    linear_of(None, size, outputs, &mixed)
}

fn reshape(from: &str, to: &str) -> Vec<u8> {
    node("Reshape", &[from, "rows"], to, &[])
}

fn linear_of(
    batch: Option<u64>,
    (width, height): (u64, u64),
    outputs: &[Linear],
    colours: &[Vec<u8>],
) -> PathBuf {
    let shape = |rest: &[u64]| [&[batch.unwrap_or(0)], rest].concat();
    let mut graph = vec![
        node_with_axes("ReduceMean", "images", "means", &[2, 3]),
        field(2, b"test"),
        field(5, &whole_numbers("rows", &[-1, 3])),
        field(11, &value_info("images", &shape(&[3, height, width]))),
    ];
    graph.extend_from_slice(colours);
    for output in outputs {
        graph.extend(output.parts());
        graph.push(field(12, &value_info(output.name, &shape(&output.shape))));
    }
    write_model(&of_graph(&graph.concat()))
}
