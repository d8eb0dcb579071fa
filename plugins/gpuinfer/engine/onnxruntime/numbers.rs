//! Numbers of all kinds to f32 and back.

use ort::value::TensorElementType;

use crate::gpuinfer::engine::half;

/// Bytes of a number of `kind`; `None` for what is no number that is known.
pub(super) const fn size(kind: TensorElementType) -> Option<usize> {
    match kind {
        TensorElementType::Bool | TensorElementType::Int8 | TensorElementType::Uint8 => Some(1),
        TensorElementType::Float16 => Some(2),
        TensorElementType::Float32 | TensorElementType::Int32 => Some(4),
        TensorElementType::Float64 | TensorElementType::Int64 => Some(8),
        _ => None,
    }
}

/// Whether f32 can be made into `kind` without a calibration.
pub(super) const fn can_be_given(kind: TensorElementType) -> bool {
    matches!(
        kind,
        TensorElementType::Float32 | TensorElementType::Float16 | TensorElementType::Uint8
    )
}

/// Replaces `numbers` by those in `bytes`, which are of `kind`.
pub(super) fn read(kind: TensorElementType, bytes: &[u8], numbers: &mut Vec<f32>) {
    fn each<const N: usize>(bytes: &[u8], numbers: &mut Vec<f32>, number: fn([u8; N]) -> f32) {
        let (chunks, _) = bytes.as_chunks::<N>();
        numbers.extend(chunks.iter().map(|bytes| number(*bytes)));
    }
    numbers.clear();
    match kind {
        TensorElementType::Float32 => each(bytes, numbers, f32::from_ne_bytes),
        TensorElementType::Float16 => each(bytes, numbers, |bytes| {
            half::to_f32(u16::from_ne_bytes(bytes))
        }),
        TensorElementType::Float64 => {
            each(bytes, numbers, |bytes| f64::from_ne_bytes(bytes) as f32);
        }
        TensorElementType::Int64 => each(bytes, numbers, |bytes| i64::from_ne_bytes(bytes) as f32),
        TensorElementType::Int32 => each(bytes, numbers, |bytes| i32::from_ne_bytes(bytes) as f32),
        TensorElementType::Int8 => {
            each(bytes, numbers, |bytes| f32::from(i8::from_ne_bytes(bytes)));
        }
        _ => each(bytes, numbers, |[byte]| f32::from(byte)),
    }
}

/// Replaces `bytes` by `numbers` as `kind`, which [`can_be_given`].
pub(super) fn write(kind: TensorElementType, numbers: &[f32], bytes: &mut Vec<u8>) {
    bytes.clear();
    match kind {
        TensorElementType::Float16 => {
            let halves = numbers.iter().map(|number| half::from_f32(*number));
            bytes.extend(halves.flat_map(u16::to_ne_bytes));
        }
        _ => bytes.extend(numbers.iter().map(|number| number.round() as u8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_become_f32() {
        let mut numbers = Vec::new();
        let bytes: Vec<u8> = [-7i64, 79].into_iter().flat_map(i64::to_ne_bytes).collect();
        read(TensorElementType::Int64, &bytes, &mut numbers);
        assert_eq!(numbers, [-7.0, 79.0]);
        read(TensorElementType::Int8, &[0xff, 2], &mut numbers);
        assert_eq!(numbers, [-1.0, 2.0]);
        read(TensorElementType::Bool, &[0, 1], &mut numbers);
        assert_eq!(numbers, [0.0, 1.0]);
    }

    #[test]
    fn pictures_become_halves_and_bytes() {
        let mut bytes = Vec::new();
        write(TensorElementType::Float16, &[1.0, 0.5], &mut bytes);
        let mut numbers = Vec::new();
        read(TensorElementType::Float16, &bytes, &mut numbers);
        assert_eq!(numbers, [1.0, 0.5]);
        write(TensorElementType::Uint8, &[-3.0, 114.4, 300.0], &mut bytes);
        assert_eq!(bytes, [0, 114, 255]);
    }
}
