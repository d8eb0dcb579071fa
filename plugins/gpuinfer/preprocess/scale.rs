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

/// The first of two columns, and the weight of the second.
#[derive(Clone, Copy, Debug)]
struct Tap {
    first: u32,
    weight: u32,
}

#[derive(Debug)]
struct Table {
    axis: Axis,
    taps: Vec<Tap>,
}

/// Scales planes, with what it needs for that.
#[derive(Debug, Default)]
pub(super) struct Scaler {
    tables: Vec<Table>,
    /// The table that has to go next.
    oldest: usize,
    /// Two rows made one; one pixel more than they have.
    row: Vec<u16>,
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
        let table = self.table(Axis {
            start: extent.left,
            length: extent.width,
            to: to.width,
            pixels: plane.size.width,
        });
        let taps = &self.tables[table].taps[..];
        let (Some(first), Some(last)) = (taps.first(), taps.last()) else {
            return Ok(());
        };
        let (start, end) = (
            first.first as usize * BYTES,
            ((last.first as usize + 2) * BYTES).min(bytes),
        );
        self.row.resize(bytes + BYTES, 0);
        let row = |at: usize| &plane.data[at * plane.stride..][start..end];
        for (line, target) in (0..).zip(scaled.chunks_exact_mut(row_length.max(1))) {
            let (upper, weight) = down.place(line);
            let (upper, weight) = (upper as usize, to_fixed(weight, ROW_BITS) as u16);
            let lower = (upper + 1).min(height - 1);
            blend(row(upper), row(lower), weight, &mut self.row[start..end]);
            // Beyond the last column stands that column.
            self.row.copy_within(bytes - BYTES..bytes, bytes);
            pick::<BYTES>(&self.row, taps, target);
        }
        Ok(())
    }

    /// The number of the table for `axis`.
    fn table(&mut self, axis: Axis) -> usize {
        if let Some(known) = self.tables.iter().position(|table| table.axis == axis) {
            return known;
        }
        let at = if self.tables.len() < TABLES {
            let taps = Vec::new();
            self.tables.push(Table { axis, taps });
            self.tables.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % TABLES;
            self.oldest
        };
        let table = &mut self.tables[at];
        table.axis = axis;
        table.taps.clear();
        table.taps.extend((0..axis.to).map(|at| {
            let (first, weight) = axis.place(at);
            let weight = to_fixed(weight, COLUMN_BITS);
            Tap { first, weight }
        }));
        at
    }
}

fn to_fixed(weight: f64, bits: u32) -> u32 {
    (weight * f64::from(1_u32 << bits)).round() as u32
}

/// Mixes two rows; what comes out is in parts of a level, [`ROW_BITS`] of them.
fn blend(upper: &[u8], lower: &[u8], weight: u16, mixed: &mut [u16]) {
    let rest = (1 << ROW_BITS) - weight;
    for (mixed, (&upper, &lower)) in mixed.iter_mut().zip(upper.iter().zip(lower)) {
        *mixed = u16::from(upper) * rest + u16::from(lower) * weight;
    }
}

/// Mixes the columns of `row` that `taps` name.
fn pick<const BYTES: usize>(row: &[u16], taps: &[Tap], target: &mut [u8]) {
    const BITS: u32 = ROW_BITS + COLUMN_BITS;
    let (row, _) = row.as_chunks::<BYTES>();
    let (target, _) = target.as_chunks_mut::<BYTES>();
    for (target, tap) in target.iter_mut().zip(taps) {
        let at = tap.first as usize;
        let Some([left, right]) = row.get(at..at + 2) else {
            continue;
        };
        let rest = (1 << COLUMN_BITS) - tap.weight;
        *target = std::array::from_fn(|byte| {
            let mixed = u32::from(left[byte]) * rest + u32::from(right[byte]) * tap.weight;
            ((mixed + (1 << (BITS - 1))) >> BITS) as u8
        });
    }
}
