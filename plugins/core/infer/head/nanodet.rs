//! NanoDet and NanoDet-Plus (<https://github.com/RangiLyu/nanodet>): each edge's distance is a distribution, as in
//! Generalized Focal Loss (Li et al. 2020, <https://arxiv.org/abs/2006.04388>). Scores are probabilities in its exports.

use super::super::detection::Area;
use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::{Strides, cells, grid_outward, places};
use super::output::{Objects, Output, WrongLength, best, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Strides of the first NanoDet, whose points are in the middle of their cells.
const FIRST: Strides = &[8, 16, 32];
/// Strides of NanoDet-Plus, whose points are in the corners.
const PLUS: Strides = &[8, 16, 32, 64];
/// Distances that each edge is judged at, in strides: 0 to 7.
const BINS: usize = 8;
/// Numbers of a box.
const DISTANCES: usize = 4 * BINS;

#[derive(Debug)]
struct NanoDet {
    levels: Vec<Level>,
    classes: usize,
    /// From a cell's corner to its point, in cells.
    offset: f32,
    input: Size,
}

/// The cells of one stride.
#[derive(Debug)]
struct Level {
    stride: u32,
    scores: Part,
    distances: Part,
}

/// Where the numbers of one stride are.
#[derive(Clone, Copy, Debug)]
struct Part {
    output: usize,
    /// Cells before it in this output.
    before: usize,
    columns: usize,
    skip: usize,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let strides = [PLUS, FIRST];
    let single = |strides: &Strides| {
        // Three strides are what YOLOX has as well.
        (seen.is_sure || **strides == *PLUS).then(|| in_one(seen, strides))?
    };
    let found = strides.iter().find_map(single);
    let (levels, classes, offset) =
        found.or_else(|| strides.iter().find_map(|strides| in_many(seen, strides)))?;
    let classes = seen.classes(classes)?;
    Some(Known::of(
        classes,
        NanoDet {
            levels,
            classes,
            offset,
            input: seen.input,
        },
    ))
}

type Found3 = (Vec<Level>, usize, f32);

fn offset(strides: Strides) -> f32 {
    if *strides == *PLUS { 0.0 } else { 0.5 }
}

fn size_of(stride: u32, input: Size) -> usize {
    cells_of(grid_outward(stride, input))
}

const fn cells_of((columns, rows): (u32, u32)) -> usize {
    columns as usize * rows as usize
}

/// All strides one after the other, scores and distances side by side.
fn in_one(seen: &Seen<'_>, strides: Strides) -> Option<Found3> {
    let all = cells(strides, seen.input, grid_outward);
    let (output, columns) = seen.matrix(|rows, columns| {
        (rows == all && rows > 0 && columns > DISTANCES).then_some(columns)
    })?;
    let classes = columns - DISTANCES;
    let mut before = 0;
    let levels = strides.iter().map(|&stride| {
        let part = |skip| Part {
            output,
            before,
            columns,
            skip,
        };
        let level = Level {
            stride,
            scores: part(0),
            distances: part(classes),
        };
        before += size_of(stride, seen.input);
        level
    });
    Some((levels.collect(), classes, offset(strides)))
}

/// Two outputs for each stride.
fn in_many(seen: &Seen<'_>, strides: Strides) -> Option<Found3> {
    if seen.outputs.len() != 2 * strides.len() {
        return None;
    }
    let mut classes = None;
    let level = |&stride: &u32| {
        let rows = size_of(stride, seen.input);
        let distances = seen.position(|output| *output.shape == [rows, DISTANCES])?;
        let of_scores = |(at, output): (usize, &Output<'_>)| match *output.shape {
            [others, columns] if others == rows && at != distances => Some((at, columns)),
            _ => None,
        };
        let (scores, columns) = seen.outputs.iter().enumerate().find_map(of_scores)?;
        if *classes.get_or_insert(columns) != columns {
            return None;
        }
        let part = |output, columns| Part {
            output,
            before: 0,
            columns,
            skip: 0,
        };
        Some(Level {
            stride,
            scores: part(scores, columns),
            distances: part(distances, DISTANCES),
        })
    };
    let levels: Option<Vec<Level>> = strides.iter().map(level).collect();
    Some((levels?, classes?, offset(strides)))
}

impl Part {
    /// The rows of the `cells` of this part.
    fn rows<'a>(
        &self,
        outputs: &[Output<'a>],
        cells: usize,
    ) -> Result<impl Iterator<Item = &'a [f32]>, WrongLength> {
        let output = take(outputs, self.output);
        let (start, end) = (
            self.before * self.columns,
            (self.before + cells) * self.columns,
        );
        let data = output.data.get(start..end).ok_or(WrongLength {
            expected: end,
            actual: output.data.len(),
        })?;
        let skip = self.skip;
        Ok(data.chunks_exact(self.columns).map(move |row| &row[skip..]))
    }
}

impl NanoDet {
    fn read_level(
        &self,
        level: &Level,
        outputs: &[Output<'_>],
        objects: &mut Objects<'_>,
    ) -> Result<(), WrongLength> {
        let grid = grid_outward(level.stride, self.input);
        let cells = cells_of(grid);
        let scores = level.scores.rows(outputs, cells)?;
        let distances = level.distances.rows(outputs, cells)?;
        let stride = level.stride as f32;
        for ((column, row), (scores, distances)) in places(grid).zip(scores.zip(distances)) {
            let (class, score) = best(&scores[..self.classes]);
            if !objects.wants(score) {
                continue;
            }
            let (x, y) = (
                (column + self.offset) * stride,
                (row + self.offset) * stride,
            );
            let (edges, _) = distances.as_chunks::<BINS>();
            let distance = |edge: usize| edges.get(edge).map_or(0.0, expected) * stride;
            let area = Area {
                left: x - distance(0),
                top: y - distance(1),
                right: x + distance(2),
                bottom: y + distance(3),
            };
            objects.add(area, class, score);
        }
        Ok(())
    }
}

/// The mean of the distribution whose logarithms, but for a constant, these are.
fn expected(bins: &[f32; BINS]) -> f32 {
    let (_, greatest) = best(bins);
    let weights = bins.map(|bin| (bin - greatest).exp());
    let sum: f32 = weights.iter().sum();
    let mean = (0_u8..)
        .zip(weights)
        .map(|(bin, weight)| f32::from(bin) * weight);
    mean.sum::<f32>() / sum
}

impl Reader for NanoDet {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let mut objects = objects(thresholds, found);
        let mut levels = self.levels.iter();
        levels.try_for_each(|level| self.read_level(level, outputs, &mut objects))
    }
}
