//! What is known of a value of the graph.

use rten_onnx::onnx::{DataType, TensorProto};

/// Vectors up to this length are followed number by number: shapes, indices, scales. Longer ones only by their size.
pub(super) const MOST_NUMBERS: usize = 1024;

/// A tensor as far as it is known without a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Value {
    /// `None` where it depends on the picture, or is not known.
    pub(super) shape: Option<Vec<u64>>,
    /// All numbers, of few.
    pub(super) numbers: Option<Vec<f64>>,
}

impl Value {
    pub(super) fn sized(shape: Vec<u64>) -> Self {
        Self {
            shape: Some(shape),
            numbers: None,
        }
    }

    /// Numbers in one dimension.
    pub(super) fn vector(numbers: Vec<f64>) -> Self {
        let shape = Some(vec![numbers.len() as u64]);
        let numbers = Some(numbers).filter(|numbers| numbers.len() <= MOST_NUMBERS);
        Self { shape, numbers }
    }

    /// One number without a dimension.
    pub(super) fn scalar(number: f64) -> Self {
        Self {
            shape: Some(Vec::new()),
            numbers: Some(vec![number]),
        }
    }

    /// Weights.
    pub(super) fn of(tensor: &TensorProto) -> Self {
        let shape = tensor.dims.iter().map(|size| u64::try_from(*size).ok());
        let shape: Option<Vec<u64>> = shape.collect();
        let few = count(shape.as_deref()).is_some_and(|count| count <= MOST_NUMBERS as u128);
        Self {
            numbers: few.then(|| numbers(tensor)).flatten(),
            shape,
        }
    }

    /// Bytes that it takes, at four to a number.
    pub(super) fn bytes(&self) -> u128 {
        count(self.shape.as_deref()).unwrap_or(0).saturating_mul(4)
    }
}

/// Numbers in a tensor of this shape.
pub(super) fn count(shape: Option<&[u64]>) -> Option<u128> {
    let sizes = shape?.iter().map(|size| u128::from(*size));
    Some(sizes.fold(1, u128::saturating_mul))
}

fn numbers(tensor: &TensorProto) -> Option<Vec<f64>> {
    let kind = tensor.data_type?;
    if let Some(raw) = &tensor.raw_data {
        let raw = raw.borrow();
        return match kind {
            DataType::FLOAT => Some(chunks(&raw, |bytes| f64::from(f32::from_le_bytes(bytes)))),
            DataType::DOUBLE => Some(chunks(&raw, f64::from_le_bytes)),
            DataType::INT32 => Some(chunks(&raw, |bytes| f64::from(i32::from_le_bytes(bytes)))),
            DataType::INT64 => Some(chunks(&raw, |bytes| i64::from_le_bytes(bytes) as f64)),
            _ => None,
        };
    }
    match kind {
        DataType::FLOAT => Some(
            tensor
                .float_data
                .iter()
                .map(|number| f64::from(*number))
                .collect(),
        ),
        DataType::DOUBLE => Some(tensor.double_data.clone()),
        DataType::INT32 => Some(
            tensor
                .int32_data
                .iter()
                .map(|number| f64::from(*number))
                .collect(),
        ),
        DataType::INT64 => Some(
            tensor
                .int64_data
                .iter()
                .map(|number| *number as f64)
                .collect(),
        ),
        _ => None,
    }
}

fn chunks<const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (chunks, _) = raw.as_chunks::<N>();
    chunks.iter().map(|bytes| number(*bytes)).collect()
}
