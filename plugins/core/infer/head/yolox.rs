//! YOLOX (Ge et al. 2021, <https://arxiv.org/abs/2107.08430>) as exported by its own tool without decoding.

use super::super::detection::Area;
use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::{Strides, USUAL, cells, grid, places};
use super::output::{Output, WrongLength, best, take};
use super::{Known, Reader, Scratch, Seen, objects};

/// Numbers of a row before its classes.
const HEAD: usize = 5;

#[derive(Debug)]
struct YoloX {
    at: usize,
    columns: usize,
    classes: usize,
    strides: Strides,
    input: Size,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let input = seen.input;
    let (at, (strides, columns)) = seen.matrix(|rows, columns| {
        let mut usual = USUAL.into_iter();
        let fits = |strides: &Strides| rows > 0 && cells(strides, input, grid) == rows;
        let strides = usual.find(fits)?;
        (columns > HEAD).then_some((strides, columns))
    })?;
    let classes = seen.classes(columns - HEAD)?;
    Some(Known::of(
        classes,
        YoloX {
            at,
            columns,
            classes,
            strides,
            input,
        },
    ))
}

impl Reader for YoloX {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let cells = cells(self.strides, self.input, grid);
        let data = take(outputs, self.at).exactly(cells * self.columns)?;
        let mut objects = objects(thresholds, found);
        let mut rows = data.chunks_exact(self.columns);
        for &stride in self.strides {
            let (columns, lines) = grid(stride, self.input);
            let size = stride as f32;
            let of_this = rows.by_ref().take(columns as usize * lines as usize);
            for ((column, line), row) in places((columns, lines)).zip(of_this) {
                let &[x, y, width, height, objectness, ref scores @ ..] = row else {
                    continue;
                };
                // No class score is above 1: most cells end here.
                if !objects.wants(objectness) {
                    continue;
                }
                let (class, score) = best(&scores[..self.classes]);
                let area = Area::around(
                    (x + column) * size,
                    (y + line) * size,
                    width.exp() * size,
                    height.exp() * size,
                );
                objects.add(area, class, objectness * score);
            }
        }
        Ok(())
    }
}
