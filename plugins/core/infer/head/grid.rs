//! Grids of cells, each of which may tell of an object.

use super::super::letterbox::Size;

/// Distances in pixels between the cells of each grid, finest first.
pub(super) type Strides = &'static [u32];

/// The grids of most detectors; of those without the coarsest; of those for large pictures.
pub(super) const USUAL: [Strides; 3] = [&[8, 16, 32], &[8, 16], &[8, 16, 32, 64]];

/// Columns and rows of the grid of `stride`.
pub(super) const fn grid(stride: u32, input: Size) -> (u32, u32) {
    (input.width / stride, input.height / stride)
}

/// The same, with cells that reach out of the input.
pub(super) const fn grid_outward(stride: u32, input: Size) -> (u32, u32) {
    (input.width.div_ceil(stride), input.height.div_ceil(stride))
}

/// Cells of all grids.
pub(super) fn cells(
    strides: Strides,
    input: Size,
    grid: impl Fn(u32, Size) -> (u32, u32),
) -> usize {
    let cells = strides.iter().map(|&stride| {
        let (columns, rows) = grid(stride, input);
        columns as usize * rows as usize
    });
    cells.sum()
}

/// The column and row of each cell of the grid of this size, row by row.
pub(super) fn places((columns, rows): (u32, u32)) -> impl Iterator<Item = (f32, f32)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (column as f32, row as f32)))
}
