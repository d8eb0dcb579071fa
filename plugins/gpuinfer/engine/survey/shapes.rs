//! Arithmetic of shapes. Sizes are never too small: where it is not known which it will be, it is the larger one.

use super::value::count;

/// What slides over a picture.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) kernel: Vec<u64>,
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    /// All beginnings, then all ends.
    pub(super) pads: Vec<i64>,
    /// Padded so that the size stays, but for the stride.
    pub(super) keeps_size: bool,
}

impl Window {
    fn stride(&self, at: usize) -> u64 {
        positive(self.strides.get(at).copied())
    }

    /// Pixels under the window.
    fn extent(&self, at: usize) -> u64 {
        let kernel = self.kernel.get(at).copied().unwrap_or(1);
        let dilation = positive(self.dilations.get(at).copied());
        kernel
            .saturating_sub(1)
            .saturating_mul(dilation)
            .saturating_add(1)
    }

    fn padding(&self, at: usize) -> u64 {
        let end = self.pads.len() / 2 + at;
        let pads = [at, end].map(|at| self.pads.get(at).copied().unwrap_or(0).max(0) as u64);
        pads[0].saturating_add(pads[1])
    }
}

/// After a convolution to `channels`, or a pooling.
pub(super) fn pooled(shape: &[u64], window: &Window, channels: u64) -> Option<Vec<u64>> {
    let (batch, sizes) = (shape.first()?, shape.get(2..)?);
    let sizes = sizes.iter().enumerate().map(|(at, size)| {
        let stride = window.stride(at);
        if window.keeps_size {
            return size.div_ceil(stride);
        }
        let padded = size.saturating_add(window.padding(at));
        // Rounded up, as with ceil_mode.
        padded
            .saturating_sub(window.extent(at))
            .div_ceil(stride)
            .saturating_add(1)
    });
    Some([*batch, channels].into_iter().chain(sizes).collect())
}

/// After a transposed convolution to `channels`.
pub(super) fn unpooled(shape: &[u64], window: &Window, channels: u64) -> Option<Vec<u64>> {
    let (batch, sizes) = (shape.first()?, shape.get(2..)?);
    let sizes = sizes.iter().enumerate().map(|(at, size)| {
        let stride = window.stride(at);
        size.saturating_mul(stride)
            .saturating_add(window.extent(at))
            .saturating_add(stride)
    });
    Some([*batch, channels].into_iter().chain(sizes).collect())
}

/// The product of two matrices, or of batches of them.
pub(super) fn multiplied(a: &[u64], b: &[u64]) -> Option<Vec<u64>> {
    let (rows, columns) = match (a, b) {
        ([.., rows, _], [.., _, columns]) => (vec![*rows], vec![*columns]),
        ([.., rows, _], [_]) => (vec![*rows], Vec::new()),
        ([_], [.., _, columns]) => (Vec::new(), vec![*columns]),
        _ => (Vec::new(), Vec::new()),
    };
    let batch = |shape: &[u64]| shape[..shape.len().saturating_sub(2)].to_vec();
    let mut shape = broadcast(&[&batch(a), &batch(b)])?;
    shape.extend(rows.into_iter().chain(columns));
    Some(shape)
}

/// All of `shapes` stretched to each other.
pub(super) fn broadcast(shapes: &[&[u64]]) -> Option<Vec<u64>> {
    let rank = shapes.iter().map(|shape| shape.len()).max()?;
    let size = |place: usize| {
        let sizes = shapes
            .iter()
            .filter_map(|shape| shape.len().checked_sub(rank - place).map(|at| shape[at]));
        // With a size of 0, all is empty.
        let sizes: Vec<u64> = sizes.collect();
        if sizes.contains(&0) {
            0
        } else {
            sizes.into_iter().max().unwrap_or(1)
        }
    };
    Some((0..rank).map(size).collect())
}

/// `shapes` one after the other along `axis`.
pub(super) fn joined(shapes: &[&[u64]], axis: i64) -> Option<Vec<u64>> {
    let mut shape = shapes.first()?.to_vec();
    let axis = index(axis, shape.len())?;
    let sizes = shapes.iter().map(|shape| shape.get(axis).copied());
    let sizes: Option<Vec<u64>> = sizes.collect();
    *shape.get_mut(axis)? = sizes?.into_iter().fold(0, u64::saturating_add);
    Some(shape)
}

pub(super) fn gathered(data: &[u64], indices: &[u64], axis: i64) -> Option<Vec<u64>> {
    let axis = index(axis, data.len())?;
    let (head, tail) = (&data[..axis], data.get(axis + 1..)?);
    Some([head, indices, tail].concat())
}

pub(super) fn transposed(shape: &[u64], order: Option<&[i64]>) -> Option<Vec<u64>> {
    match order {
        None => Some(shape.iter().rev().copied().collect()),
        Some(order) => {
            let sizes = order
                .iter()
                .map(|at| shape.get(usize::try_from(*at).ok()?).copied());
            sizes.collect()
        }
    }
}

pub(super) fn flattened(shape: &[u64], axis: i64) -> Option<Vec<u64>> {
    let axis = if axis < 0 {
        axis + shape.len() as i64
    } else {
        axis
    };
    let (head, tail) = shape.split_at_checked(usize::try_from(axis).ok()?)?;
    let size = |part| u64::try_from(count(Some(part)).unwrap_or(0)).ok();
    Some(vec![size(head)?, size(tail)?])
}

/// 0 keeps a size and -1 takes what is left.
pub(super) fn reshaped(shape: &[u64], wanted: &[f64]) -> Option<Vec<u64>> {
    let size = |(at, wanted): (usize, &f64)| match *wanted {
        -1.0 => Some(1),
        0.0 => Some(shape.get(at).copied().unwrap_or(0)),
        wanted => whole(wanted),
    };
    let mut sizes = wanted
        .iter()
        .enumerate()
        .map(size)
        .collect::<Option<Vec<u64>>>()?;
    if let Some(free) = wanted.iter().position(|size| *size == -1.0) {
        let rest = count(Some(&sizes))?.max(1);
        sizes[free] = u64::try_from(count(Some(shape))? / rest).ok()?;
    }
    Some(sizes)
}

pub(super) fn squeezed(shape: &[u64], axes: Option<&[i64]>) -> Option<Vec<u64>> {
    let Some(axes) = axes else {
        return Some(shape.iter().copied().filter(|size| *size != 1).collect());
    };
    let axes: Option<Vec<usize>> = axes.iter().map(|axis| index(*axis, shape.len())).collect();
    let axes = axes?;
    let left = shape
        .iter()
        .enumerate()
        .filter(|(at, _)| !axes.contains(at));
    Some(left.map(|(_, size)| *size).collect())
}

pub(super) fn unsqueezed(shape: &[u64], axes: &[i64]) -> Option<Vec<u64>> {
    let rank = shape.len() + axes.len();
    let axes: Option<Vec<usize>> = axes.iter().map(|axis| index(*axis, rank)).collect();
    let axes = axes?;
    let mut sizes = shape.iter().copied();
    (0..rank)
        .map(|at| {
            if axes.contains(&at) {
                Some(1)
            } else {
                sizes.next()
            }
        })
        .collect()
}

/// What is left of `size` between `start` and `end`, which count from the end where they are negative.
pub(super) fn cut(size: u64, start: f64, end: f64, step: f64) -> u64 {
    let length = size as f64;
    let place = |at: f64| (if at < 0.0 { at + length } else { at }).clamp(-1.0, length);
    let (start, end) = (place(start), place(end));
    // Backwards, -1 may be meant as before the beginning: never too small.
    let span = if step < 0.0 { length } else { end - start };
    (span / step.abs().max(1.0)).ceil().clamp(0.0, length) as u64
}

/// Without `axes`, or with 1 in their place; all of them where none are named.
pub(super) fn reduced(shape: &[u64], axes: Option<&[i64]>, keep: bool) -> Option<Vec<u64>> {
    let rank = shape.len();
    let axes: Option<Vec<usize>> = match axes {
        Some(axes) => axes.iter().map(|axis| index(*axis, rank)).collect(),
        None => Some((0..rank).collect()),
    };
    let axes = axes?;
    let sizes = shape.iter().enumerate();
    let left = sizes.filter_map(|(at, size)| match axes.contains(&at) {
        true => keep.then_some(1),
        false => Some(*size),
    });
    Some(left.collect())
}

/// Parts of `shape` along `axis`: of the sizes `given`, or of equal size.
pub(super) fn split(
    shape: &[u64],
    axis: i64,
    parts: usize,
    given: Option<&[f64]>,
) -> Option<Vec<Vec<u64>>> {
    let axis = index(axis, shape.len())?;
    let part = |at: usize| {
        let mut part = shape.to_vec();
        part[axis] = match given {
            Some(given) => whole(*given.get(at)?)?,
            None => shape[axis].div_ceil(parts.max(1) as u64),
        };
        Some(part)
    };
    (0..parts).map(part).collect()
}

/// Channels spread over squares of the side `block`.
pub(super) fn spread(shape: &[u64], block: i64) -> Option<Vec<u64>> {
    let &[batch, channels, height, width] = shape else {
        return None;
    };
    let block = u64::try_from(block).ok().filter(|block| *block > 0)?;
    let (height, width) = (height.checked_mul(block)?, width.checked_mul(block)?);
    Some(vec![
        batch,
        channels.div_ceil(block.checked_mul(block)?),
        height,
        width,
    ])
}

/// A new size `depth` at `axis`.
pub(super) fn inserted(shape: &[u64], axis: i64, depth: f64) -> Option<Vec<u64>> {
    let axis = index(axis, shape.len() + 1)?;
    let mut shape = shape.to_vec();
    shape.insert(axis, whole(depth)?);
    Some(shape)
}

/// Sizes that the file itself asks for.
pub(super) fn asked(sizes: &[f64]) -> Option<Vec<u64>> {
    sizes.iter().map(|size| whole(*size)).collect()
}

pub(super) fn scaled(shape: &[u64], scales: &[f64]) -> Option<Vec<u64>> {
    let sizes = shape.iter().zip(scales);
    sizes
        .map(|(size, scale)| whole((*size as f64 * scale).ceil()))
        .collect()
}

/// `pads` are all beginnings, then all ends.
pub(super) fn padded(shape: &[u64], pads: &[f64]) -> Option<Vec<u64>> {
    let rank = pads.len() / 2;
    let first = shape.len().checked_sub(rank)?;
    let pad = |at: usize| Some(pads.get(at)? + pads.get(at + rank)?);
    let size = |(at, size): (usize, &u64)| match at.checked_sub(first) {
        Some(place) => whole(*size as f64 + pad(place)?),
        None => Some(*size),
    };
    shape.iter().enumerate().map(size).collect()
}

pub(super) fn floats(numbers: &[i64]) -> Vec<f64> {
    numbers.iter().map(|number| *number as f64).collect()
}

fn positive(number: Option<i64>) -> u64 {
    number.unwrap_or(1).max(1) as u64
}

/// A size; `None` for what is none. What is too large stays too large.
fn whole(size: f64) -> Option<u64> {
    (size >= 0.0).then_some(size as u64)
}

/// Where `axis` is among `rank`; negative ones count from the end.
pub(super) fn index(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_as_onnx_defines_them() {
        assert_eq!(broadcast(&[&[2, 1, 3], &[4, 1]]), Some(vec![2, 4, 3]));
        assert_eq!(broadcast(&[&[0, 3], &[1]]), Some(vec![0, 3]));
        assert_eq!(multiplied(&[5, 2, 3], &[3, 4]), Some(vec![5, 2, 4]));
        assert_eq!(multiplied(&[3], &[3, 4]), Some(vec![4]));
        assert_eq!(reshaped(&[2, 3, 4], &[0.0, -1.0]), Some(vec![2, 12]));
        assert_eq!(
            transposed(&[2, 3, 4], Some(&[0, 2, 1])),
            Some(vec![2, 4, 3])
        );
        assert_eq!(joined(&[&[1, 4, 2], &[1, 6, 2]], -2), Some(vec![1, 10, 2]));
        assert_eq!(gathered(&[10, 4], &[2, 2], 0), Some(vec![2, 2, 4]));
        assert_eq!(unsqueezed(&[3, 4], &[0, -1]), Some(vec![1, 3, 4, 1]));
        assert_eq!(squeezed(&[1, 3, 1], Some(&[0])), Some(vec![3, 1]));
        assert_eq!(flattened(&[2, 3, 4], 1), Some(vec![2, 12]));
        assert_eq!(reduced(&[2, 3, 4], Some(&[-1]), true), Some(vec![2, 3, 1]));
        assert_eq!(reduced(&[2, 3, 4], None, false), Some(Vec::new()));
        assert_eq!(padded(&[1, 2], &[0.0, 1.0, 0.0, 2.0]), Some(vec![1, 5]));
        assert_eq!(spread(&[1, 8, 2, 2], 2), Some(vec![1, 2, 4, 4]));
        assert_eq!(inserted(&[2, 3], -1, 7.0), Some(vec![2, 3, 7]));
        assert_eq!(split(&[1, 6], 1, 3, None), Some(vec![vec![1, 2]; 3]));
    }

    #[test]
    fn a_cut_keeps_what_lies_between() {
        assert_eq!(cut(10, 0.0, 1e18, 2.0), 5);
        assert_eq!(cut(10, -3.0, 10.0, 1.0), 3);
        assert_eq!(cut(10, 8.0, 2.0, 1.0), 0);
        assert_eq!(cut(10, 9.0, -1e18, -1.0), 10);
    }

    #[test]
    fn windows_slide() {
        let window = Window {
            kernel: vec![3, 3],
            strides: vec![2, 2],
            dilations: Vec::new(),
            pads: vec![1; 4],
            keeps_size: false,
        };
        let sizes = pooled(&[1, 3, 416, 416], &window, 16);
        // 208, and one more in case that it is rounded up.
        assert_eq!(sizes, Some(vec![1, 16, 209, 209]));
    }
}
