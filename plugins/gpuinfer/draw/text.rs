//! Letters as masks of how much of each pixel they cover.
//!
//! The font is DejaVu Sans Bold, cut down to the Latin, Greek and Cyrillic letters; its licence lies beside it.

use std::collections::HashMap;

use ab_glyph::{Font, FontRef, Glyph, ScaleFont, point};

use super::canvas::{Canvas, Colour, Patch};

const FONT: &[u8] = include_bytes!("font/DejaVuSans-Bold-Labels.ttf");

/// A letter of one size.
#[derive(Debug, Default)]
struct Letter {
    mask: Vec<u8>,
    width: usize,
    /// Where the mask begins, from the left end of the baseline.
    corner: (i32, i32),
    /// To the next letter.
    advance: f32,
}

/// The letters of one size that were used so far: each is made once.
#[derive(Debug, Default)]
pub(super) struct Typeface {
    letters: HashMap<char, Letter>,
    /// Of a line, in pixels.
    height: u32,
}

impl Typeface {
    /// Makes lines `height` pixels high from now on.
    pub(super) fn set_height(&mut self, height: u32) {
        if self.height != height {
            self.height = height;
            self.letters.clear();
        }
    }

    /// How wide `text` is.
    pub(super) fn width(&mut self, text: &str) -> f32 {
        text.chars().map(|letter| self.letter(letter).advance).sum()
    }

    /// Writes `text` with its upper left corner at `left`, `top`, as far as it is in `clip`.
    pub(super) fn write(
        &mut self,
        canvas: &mut Canvas<'_>,
        text: &str,
        (left, top): (u32, u32),
        clip: Patch,
        colour: Colour,
    ) {
        let baseline = i64::from(top) + self.ascent().round() as i64;
        let mut pen = f64::from(left);
        for letter in text.chars() {
            if pen >= f64::from(clip.to.0) {
                break;
            }
            let letter = self.letter(letter);
            let (right, down) = letter.corner;
            let corner = (
                pen.round() as i64 + i64::from(right),
                baseline + i64::from(down),
            );
            canvas.stamp(&letter.mask, letter.width, corner, clip, colour);
            pen += f64::from(letter.advance);
        }
    }

    fn ascent(&self) -> f32 {
        font().map_or(0.0, |font| font.as_scaled(self.height as f32).ascent())
    }

    fn letter(&mut self, letter: char) -> &Letter {
        let height = self.height as f32;
        self.letters
            .entry(letter)
            .or_insert_with(|| Letter::make(letter, height).unwrap_or_default())
    }
}

impl Letter {
    fn make(letter: char, height: f32) -> Option<Self> {
        let font = font()?;
        let scaled = font.as_scaled(height);
        let id = font.glyph_id(letter);
        let advance = scaled.h_advance(id);
        let glyph: Glyph = id.with_scale_and_position(height, point(0.0, 0.0));
        let Some(outline) = font.outline_glyph(glyph) else {
            // A space.
            return Some(Self {
                advance,
                ..Self::default()
            });
        };
        let bounds = outline.px_bounds();
        let (width, rows) = (bounds.width() as usize, bounds.height() as usize);
        let mut mask = vec![0; width * rows];
        outline.draw(|x, y, cover| {
            if let Some(pixel) = mask.get_mut(y as usize * width + x as usize) {
                *pixel = (cover * 255.0).round() as u8;
            }
        });
        Some(Self {
            mask,
            width,
            corner: (bounds.min.x as i32, bounds.min.y as i32),
            advance,
        })
    }
}

/// The font; a test sees that it can be read.
fn font() -> Option<FontRef<'static>> {
    FontRef::try_from_slice(FONT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_western_names_has_a_shape_with_soft_edges() {
        for letter in "AZaz09%#äéßñŁΩЖ".chars() {
            let font = font().expect("it is built in");
            assert_ne!(font.glyph_id(letter).0, 0, "{letter}");
            let letter = Letter::make(letter, 30.0).expect("it is built in");
            let soft = letter.mask.iter().filter(|cover| (1..255).contains(*cover));
            assert!(soft.count() > 0);
            assert!(letter.mask.contains(&255));
        }
    }

    #[test]
    fn a_line_grows_with_its_height() {
        let mut typeface = Typeface::default();
        typeface.set_height(20);
        let small = typeface.width("person 92%");
        typeface.set_height(40);
        let ratio = typeface.width("person 92%") / small;
        assert!((ratio - 2.0).abs() < 0.01, "{ratio}");
    }
}
