//! Scaling of one plane whose rows may have gaps between them.
//!
//! Bilinear between the four nearest pixels, as OpenCV's INTER_LINEAR, which the detectors were trained with. Only the
//! rows that it needs are read: two become one, whole rows at a time, and of that one the columns are picked. Rounded
//! once, at the end. What libraries do is more (every row is narrowed first) and takes memory for each frame.

use livetune_core::infer::{Region, Size};

use super::Unfit;
use crate::gpuinfer::picture::Plane;

/// Bits of a weight between rows: a level times it fits in 16 bits, eight of which are one vector.
const ROW_BITS: u32 = 8;
/// Bits of a weight between columns.
const COLUMN_BITS: u32 = 14;
/// Tables kept: luma and chroma of a region, and of another.
const TABLES: usize = 4;

/// A part of a plane in its pixels; halves where the plane is half as large as the picture and the part's edge odd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Extent {
    /// Of a plane as large as the picture.
    pub(super) fn full(region: Region) -> Self {
        Self {
            left: f64::from(region.left),
            top: f64::from(region.top),
            width: f64::from(region.width),
            height: f64::from(region.height),
        }
    }

    /// Of a plane that is half as wide.
    pub(super) fn half_wide(region: Region) -> Self {
        let full = Self::full(region);
        Self {
            left: full.left / 2.0,
            width: full.width / 2.0,
            ..full
        }
    }

    /// Of a plane that is half as wide and half as high.
    pub(super) fn half(region: Region) -> Self {
        let wide = Self::half_wide(region);
        Self {
            top: wide.top / 2.0,
            height: wide.height / 2.0,
            ..wide
        }
    }
}

/// Pixels in a row of the plane, seen from `to` places.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    start: f64,
    length: f64,
    to: u32,
    pixels: u32,
}

impl Axis {
    /// The first of the two pixels that place number `at` lies between, and how near it is to the second, 0 to 1.
    fn place(&self, at: u32) -> (u32, f64) {
        let last = f64::from(self.pixels.saturating_sub(1));
        let scale = self.length / f64::from(self.to);
        let exact = self.start + (f64::from(at) + 0.5) * scale - 0.5;
        let exact = exact.clamp(0.0, last);
        let first = exact.floor().min((last - 1.0).max(0.0));
        (first as u32, exact - first)
    }
}

/// Two numbers that are mixed, or their weights.
type Pair = [i16; 2];

/// Which columns become one.
#[derive(Debug)]
struct Table {
    axis: Axis,
    /// Of a pixel.
    bytes: usize,
    /// The first of the two columns of each pixel.
    firsts: Vec<u32>,
    /// Of both columns, for each byte of each pixel.
    weights: Vec<Pair>,
}

/// Scales planes, with what it needs for that.
#[derive(Debug, Default)]
pub(super) struct Scaler {
    tables: Vec<Table>,
    /// The table that has to go next.
    oldest: usize,
    /// Two rows made one; one pixel more than they have.
    row: Vec<i16>,
    /// The columns of it that are mixed.
    pairs: Vec<Pair>,
}

impl Scaler {
    /// Scales `extent` of `plane`, whose pixels have so many `BYTES`, to the size `to`; `scaled` is without gaps then.
    pub(super) fn scale<const BYTES: usize>(
        &mut self,
        plane: &Plane<'_>,
        extent: Extent,
        to: Size,
        scaled: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        let (width, height) = (plane.size.width as usize, plane.size.height as usize);
        let bytes = width * BYTES;
        let needed = height.saturating_sub(1) * plane.stride + bytes;
        if bytes == 0 || height == 0 || bytes > plane.stride || needed > plane.data.len() {
            return Err("a plane is shorter than its rows".to_owned());
        }
        let row_length = to.width as usize * BYTES;
        scaled.resize(row_length * to.height as usize, 0);
        let down = Axis {
            start: extent.top,
            length: extent.height,
            to: to.height,
            pixels: plane.size.height,
        };
        let across = Axis {
            start: extent.left,
            length: extent.width,
            to: to.width,
            pixels: plane.size.width,
        };
        let table = self.table(across, BYTES);
        let Table {
            firsts, weights, ..
        } = &self.tables[table];
        let (Some(first), Some(last)) = (firsts.first(), firsts.last()) else {
            return Ok(());
        };
        let (start, end) = (
            *first as usize * BYTES,
            ((*last as usize + 2) * BYTES).min(bytes),
        );
        self.pairs.resize(row_length, [0; 2]);
        self.row.resize(bytes + BYTES, 0);
        let row = |at: usize| &plane.data[at * plane.stride..][start..end];
        for (line, target) in (0..).zip(scaled.chunks_exact_mut(row_length.max(1))) {
            let (upper, weight) = down.place(line);
            let (upper, weight) = (upper as usize, to_fixed(weight, ROW_BITS) as u16);
            let lower = (upper + 1).min(height - 1);
            blend(row(upper), row(lower), weight, &mut self.row[start..end]);
            // Beyond the last column stands that column.
            self.row.copy_within(bytes - BYTES..bytes, bytes);
            pick::<BYTES>(&self.row, firsts, &mut self.pairs);
            mix(&self.pairs, weights, target);
        }
        Ok(())
    }

    /// The number of the table for `axis` with pixels of so many `bytes`.
    fn table(&mut self, axis: Axis, bytes: usize) -> usize {
        let is_it = |table: &Table| table.axis == axis && table.bytes == bytes;
        if let Some(known) = self.tables.iter().position(is_it) {
            return known;
        }
        let at = if self.tables.len() < TABLES {
            self.tables.push(Table {
                axis,
                bytes,
                firsts: Vec::new(),
                weights: Vec::new(),
            });
            self.tables.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % TABLES;
            self.oldest
        };
        let table = &mut self.tables[at];
        table.axis = axis;
        table.bytes = bytes;
        table.firsts.clear();
        table.weights.clear();
        for place in 0..axis.to {
            let (first, weight) = axis.place(place);
            let weight = to_fixed(weight, COLUMN_BITS);
            let weights = [(1 << COLUMN_BITS) - weight, weight].map(|weight| weight as i16);
            table.firsts.push(first);
            table.weights.extend(std::iter::repeat_n(weights, bytes));
        }
        at
    }
}

fn to_fixed(weight: f64, bits: u32) -> u32 {
    (weight * f64::from(1_u32 << bits)).round() as u32
}

/// What is taken off a level in parts, so that it fits in a number with a sign: two such numbers times two weights are
/// one instruction.
const OFFSET: u16 = 1 << 15;

/// Mixes two rows; what comes out is in parts of a level, [`ROW_BITS`] of them, less the [`OFFSET`].
fn blend(upper: &[u8], lower: &[u8], weight: u16, mixed: &mut [i16]) {
    let rest = (1 << ROW_BITS) - weight;
    for (mixed, (&upper, &lower)) in mixed.iter_mut().zip(upper.iter().zip(lower)) {
        let level = u16::from(upper) * rest + u16::from(lower) * weight;
        *mixed = (level ^ OFFSET).cast_signed();
    }
}

/// Puts the columns of `row` side by side that become one: those that `firsts` name, and those after them.
fn pick<const BYTES: usize>(row: &[i16], firsts: &[u32], pairs: &mut [Pair]) {
    let (row, _) = row.as_chunks::<BYTES>();
    let (pairs, _) = pairs.as_chunks_mut::<BYTES>();
    for (pairs, first) in pairs.iter_mut().zip(firsts) {
        let at = *first as usize;
        if let Some([left, right]) = row.get(at..at + 2) {
            *pairs = std::array::from_fn(|byte| [left[byte], right[byte]]);
        }
    }
}

/// Mixes each of `pairs` by its weights, and rounds.
fn mix(pairs: &[Pair], weights: &[Pair], target: &mut [u8]) {
    const BITS: u32 = ROW_BITS + COLUMN_BITS;
    // Both weights together are one: so the offset comes back as it is.
    const LIFT: i32 = ((OFFSET as i32) << COLUMN_BITS) + (1 << (BITS - 1));
    for (target, ([left, right], [rest, weight])) in
        target.iter_mut().zip(pairs.iter().zip(weights))
    {
        let sum = i32::from(*left) * i32::from(*rest) + i32::from(*right) * i32::from(*weight);
        *target = ((sum + LIFT) >> BITS) as u8;
    }
}
