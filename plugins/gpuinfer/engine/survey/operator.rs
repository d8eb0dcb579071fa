//! What each operator makes of its inputs (<https://onnx.ai/onnx/operators/>).

use rten_onnx::onnx::{AttributeProto, NodeProto};

use super::shapes;
use super::value::Value;

/// An operator of the graph with what is known of its inputs.
pub(super) struct Node<'a> {
    proto: &'a NodeProto,
    pub(super) inputs: Vec<Option<&'a Value>>,
}

impl<'a> Node<'a> {
    pub(super) fn new(proto: &'a NodeProto, inputs: Vec<Option<&'a Value>>) -> Self {
        Self { proto, inputs }
    }

    /// What is known of its outputs; none for operators that are not known here.
    pub(super) fn outputs(&self) -> Vec<Value> {
        let kind = self.proto.op_type.as_deref().unwrap_or_default();
        if kind == "Split" {
            let given = self.numbers(1).map(<[f64]>::to_vec);
            let given = given.or_else(|| Some(shapes::floats(&self.ints("split")?)));
            let (parts, axis) = (self.proto.output.len(), self.int("axis", 0));
            let split = |shape| shapes::split(shape, axis, parts, given.as_deref());
            let parts = self.shape(0).and_then(split).unwrap_or_default();
            return parts.into_iter().map(Value::sized).collect();
        }
        let shape = self.output_shape(kind);
        let numbers = self.numbers_of(kind, shape.as_deref());
        vec![Value { shape, numbers }]
    }

    fn output_shape(&self, kind: &str) -> Option<Vec<u64>> {
        let first = || self.shape(0);
        match kind {
            "Constant" => self.constant().shape,
            "Shape" => Some(vec![first()?.len() as u64]),
            "Size" => Some(Vec::new()),
            "Conv" | "ConvInteger" | "QLinearConv" => self.convolved(kind),
            "ConvTranspose" => {
                shapes::unpooled(first()?, &self.window(self.shape(1)?), self.channels()?)
            }
            "MaxPool" | "AveragePool" | "LpPool" => {
                shapes::pooled(first()?, &self.window(&[]), first()?.get(1).copied()?)
            }
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let (head, rest) = first()?.split_at_checked(2)?;
                Some(head.iter().copied().chain(rest.iter().map(|_| 1)).collect())
            }
            "MatMul" | "MatMulInteger" => shapes::multiplied(first()?, self.shape(1)?),
            "Gemm" => {
                let (a, b) = (first()?, self.shape(1)?);
                let rows = a.get(usize::from(self.int("transA", 0) != 0))?;
                let columns = b.get(usize::from(self.int("transB", 0) == 0))?;
                Some(vec![*rows, *columns])
            }
            "Concat" => {
                let all: Option<Vec<&[u64]>> =
                    (0..self.inputs.len()).map(|at| self.shape(at)).collect();
                shapes::joined(&all?, self.int("axis", 0))
            }
            "Gather" => shapes::gathered(first()?, self.shape(1)?, self.int("axis", 0)),
            "GatherElements" => self.shape(1).map(<[u64]>::to_vec),
            "Transpose" => shapes::transposed(first()?, self.ints("perm").as_deref()),
            "Flatten" => shapes::flattened(first()?, self.int("axis", 1)),
            "Reshape" => shapes::reshaped(first()?, self.numbers(1)?),
            "Squeeze" => shapes::squeezed(first()?, self.axes().as_deref()),
            "Unsqueeze" => shapes::unsqueezed(first()?, &self.axes()?),
            "Slice" => self.sliced(),
            _ => self.made_larger(kind).or_else(|| self.by_element(kind)),
        }
    }

    /// Operators that make large out of small.
    fn made_larger(&self, kind: &str) -> Option<Vec<u64>> {
        let first = || self.shape(0);
        match kind {
            "ConstantOfShape" => shapes::asked(self.numbers(0)?),
            "Expand" => shapes::broadcast(&[first()?, &shapes::asked(self.numbers(1)?)?]),
            "Tile" => shapes::scaled(first()?, self.numbers(1)?),
            "Resize" => match self.numbers(3).filter(|sizes| !sizes.is_empty()) {
                Some(sizes) => shapes::asked(sizes),
                None => shapes::scaled(first()?, self.numbers(2)?),
            },
            "Upsample" => match self.numbers(1) {
                Some(scales) => shapes::scaled(first()?, scales),
                None => shapes::scaled(
                    first()?,
                    &self
                        .attribute("scales")?
                        .floats
                        .iter()
                        .map(|f| f64::from(*f))
                        .collect::<Vec<_>>(),
                ),
            },
            "Pad" => match self.numbers(1) {
                Some(pads) => shapes::padded(first()?, pads),
                None => shapes::padded(first()?, &shapes::floats(&self.ints("pads")?)),
            },
            "Range" => {
                let number = |at: usize| self.numbers(at)?.first().copied();
                let length = ((number(1)? - number(0)?) / number(2)?).ceil();
                shapes::asked(&[length.max(0.0)])
            }
            "OneHot" => {
                shapes::inserted(first()?, self.int("axis", -1), *self.numbers(1)?.first()?)
            }
            "RandomNormal" | "RandomUniform" => {
                shapes::asked(&shapes::floats(&self.ints("shape")?))
            }
            "DepthToSpace" => shapes::spread(first()?, self.int("blocksize", 1)),
            _ => None,
        }
    }

    /// Operators that give a number for each number, and those that give fewer.
    fn by_element(&self, kind: &str) -> Option<Vec<u64>> {
        if kind.starts_with("Reduce") {
            let axes = self.axes().filter(|axes| !axes.is_empty());
            return shapes::reduced(
                self.shape(0)?,
                axes.as_deref(),
                self.int("keepdims", 1) != 0,
            );
        }
        if matches!(kind, "ArgMax" | "ArgMin") {
            let axes = [self.int("axis", 0)];
            return shapes::reduced(self.shape(0)?, Some(&axes), self.int("keepdims", 1) != 0);
        }
        const WITH_EACH_OTHER: [&str; 20] = [
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Pow",
            "Mod",
            "And",
            "Or",
            "Xor",
            "Equal",
            "Greater",
            "Less",
            "GreaterOrEqual",
            "LessOrEqual",
            "Max",
            "Min",
            "Sum",
            "Mean",
            "Where",
            "PRelu",
        ];
        if WITH_EACH_OTHER.contains(&kind) {
            let all: Option<Vec<&[u64]>> =
                (0..self.inputs.len()).map(|at| self.shape(at)).collect();
            return shapes::broadcast(&all?);
        }
        const ALONE: [&str; 42] = [
            "Relu",
            "LeakyRelu",
            "Sigmoid",
            "Tanh",
            "Exp",
            "Log",
            "Sqrt",
            "Clip",
            "Cast",
            "Identity",
            "Dropout",
            "Softmax",
            "LogSoftmax",
            "HardSigmoid",
            "HardSwish",
            "Elu",
            "Selu",
            "Gelu",
            "Erf",
            "Abs",
            "Neg",
            "Floor",
            "Ceil",
            "Round",
            "Not",
            "Sign",
            "Softplus",
            "Softsign",
            "Mish",
            "Reciprocal",
            "Sin",
            "Cos",
            "BatchNormalization",
            "InstanceNormalization",
            "LayerNormalization",
            "LRN",
            "LpNormalization",
            "QuantizeLinear",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
            "ScatterND",
            "CumSum",
        ];
        ALONE
            .contains(&kind)
            .then(|| self.shape(0).map(<[u64]>::to_vec))?
    }

    fn sliced(&self) -> Option<Vec<u64>> {
        let given = |at: usize, name: &str| {
            let numbers = self.numbers(at).map(<[f64]>::to_vec);
            numbers.or_else(|| Some(shapes::floats(&self.ints(name)?)))
        };
        let shape = self.shape(0)?;
        let (Some(starts), Some(ends)) = (given(1, "starts"), given(2, "ends")) else {
            // No larger than what it is cut from.
            return Some(shape.to_vec());
        };
        let axes =
            given(3, "axes").unwrap_or_else(|| (0..starts.len()).map(|at| at as f64).collect());
        let steps = self.numbers(4).unwrap_or_default();
        let mut shape = shape.to_vec();
        for (at, axis) in axes.iter().enumerate() {
            let size = shape.get_mut(shapes::index(*axis as i64, self.shape(0)?.len())?)?;
            let step = steps.get(at).copied().unwrap_or(1.0);
            *size = shapes::cut(*size, *starts.get(at)?, *ends.get(at)?, step);
        }
        Some(shape)
    }

    fn convolved(&self, kind: &str) -> Option<Vec<u64>> {
        let weights = self.shape(if kind == "QLinearConv" { 3 } else { 1 })?;
        shapes::pooled(self.shape(0)?, &self.window(weights), *weights.first()?)
    }

    /// Channels that a transposed convolution gives.
    fn channels(&self) -> Option<u64> {
        let groups = u64::try_from(self.int("group", 1)).ok()?;
        self.shape(1)?.get(1)?.checked_mul(groups)
    }

    fn window(&self, weights: &[u64]) -> shapes::Window {
        let kernel = self
            .ints("kernel_shape")
            .map(|sizes| sizes.iter().map(|size| *size as u64).collect());
        shapes::Window {
            kernel: kernel.unwrap_or_else(|| weights.get(2..).unwrap_or_default().to_vec()),
            strides: self.ints("strides").unwrap_or_default(),
            dilations: self.ints("dilations").unwrap_or_default(),
            pads: self.ints("pads").unwrap_or_default(),
            keeps_size: self
                .attribute("auto_pad")
                .and_then(|pad| pad.s.as_deref())
                .is_some_and(|pad| pad.starts_with("SAME")),
        }
    }

    fn axes(&self) -> Option<Vec<i64>> {
        let given = self
            .numbers(1)
            .map(|axes| axes.iter().map(|axis| *axis as i64).collect());
        given.or_else(|| self.ints("axes"))
    }

    pub(super) fn shape(&self, at: usize) -> Option<&'a [u64]> {
        self.inputs.get(at).copied().flatten()?.shape.as_deref()
    }

    pub(super) fn numbers(&self, at: usize) -> Option<&'a [f64]> {
        self.inputs.get(at).copied().flatten()?.numbers.as_deref()
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name)
            .and_then(|attribute| attribute.i)
            .unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.proto
            .attribute
            .iter()
            .find(|attribute| attribute.name.as_deref() == Some(name))
    }
}
