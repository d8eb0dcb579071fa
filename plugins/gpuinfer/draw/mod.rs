//! Boxes and labels in the picture.

mod canvas;

use std::fmt::Write;

use embedded_graphics::mono_font::MonoTextStyleBuilder;
use embedded_graphics::mono_font::iso_8859_1::FONT_8X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};
use gst_video::VideoFrameRef;
use livetune_core::infer::{self, Labels};

use super::objects::Object;
use canvas::{Canvas, Magnified};

/// Colours that lie far apart for the eye; classes take them in turn. From P. Green-Armytage, "A Colour Alphabet
/// and the Limits of Colour Coding" (2010), the bright ones.
const PALETTE: [Rgb888; 10] = [
    Rgb888::new(43, 206, 72),
    Rgb888::new(255, 164, 5),
    Rgb888::new(94, 241, 242),
    Rgb888::new(240, 163, 255),
    Rgb888::new(255, 255, 128),
    Rgb888::new(255, 0, 16),
    Rgb888::new(0, 117, 220),
    Rgb888::new(157, 204, 0),
    Rgb888::new(255, 168, 187),
    Rgb888::new(224, 255, 102),
];

/// A line is as thick as one of so many parts of the picture's shorter side, and two pixels at least: half the
/// colour of a thinner one is lost in 4:2:0.
const LINES_PER_SIDE: u32 = 360;
/// A letter is as high as one of so many parts of the picture's shorter side.
const LETTERS_PER_SIDE: u32 = 36;

/// Draws objects; its text buffer is reused.
#[derive(Debug, Default)]
pub(super) struct Painter {
    text: String,
}

impl Painter {
    /// Draws `objects` into the `visible` part of `frame`; nothing where the format is not known.
    pub(super) fn draw(
        &mut self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        visible: infer::Size,
        objects: &[Object],
        labels: &Labels,
    ) {
        let size = Size::new(visible.width, visible.height);
        let Some(mut canvas) = Canvas::of(frame, size) else {
            return;
        };
        let Size { width, height } = size;
        let side = width.min(height);
        let thickness = (side / LINES_PER_SIDE).max(2);
        let letter = FONT_8X13.character_size;
        let unit = LETTERS_PER_SIDE * letter.height;
        let scale = ((side + unit / 2) / unit).max(1);
        // More letters than that are not seen, and a line of a file may have millions.
        let letters = (width / (letter.width * scale)) as usize + 1;
        // The surest object on top.
        for object in objects.iter().rev() {
            let colour = PALETTE[object.class % PALETTE.len()];
            let (left, top, width, height) = object.rect;
            let corner = Point::new(left as i32, top as i32);
            let area = Rectangle::new(corner, Size::new(width, height));
            draw_frame(&mut canvas, area, thickness, colour);
            self.text.clear();
            let label = labels.name(object.class);
            let percent = object.confidence * 100.0;
            self.text.extend(label.chars().take(letters));
            // Writing into a string does not fail.
            let _ = write!(self.text, " {percent:.0}%");
            draw_label(&mut canvas, area, scale, colour, &self.text);
        }
    }
}

/// Four bars inside the edges of `area`.
fn draw_frame(canvas: &mut Canvas<'_>, area: Rectangle, thickness: u32, colour: Rgb888) {
    let Size { width, height } = area.size;
    let (across, down) = (thickness.min(width), thickness.min(height));
    let right = area.top_left + Point::new((width - across) as i32, 0);
    let bottom = area.top_left + Point::new(0, (height - down) as i32);
    for (corner, size) in [
        (area.top_left, Size::new(width, down)),
        (bottom, Size::new(width, down)),
        (area.top_left, Size::new(across, height)),
        (right, Size::new(across, height)),
    ] {
        let Ok(()) = canvas.fill_solid(&Rectangle::new(corner, size), colour);
    }
}

/// Black on the colour of the box, above it where there is room, else inside.
fn draw_label(canvas: &mut Canvas<'_>, area: Rectangle, scale: u32, colour: Rgb888, text: &str) {
    let letter = FONT_8X13.character_size;
    let height = (letter.height * scale) as i32;
    let width = (letter.width * scale) as i32 * text.chars().count() as i32;
    let Point { x, y } = area.top_left;
    // Kept whole where the box is at the right edge.
    let x = x.min(canvas.size().width as i32 - width).max(0);
    let y = if y >= height { y - height } else { y };
    let style = MonoTextStyleBuilder::new()
        .font(&FONT_8X13)
        .text_color(Rgb888::BLACK)
        .background_color(colour)
        .build();
    let text = Text::with_baseline(text, Point::zero(), style, Baseline::Top);
    let Ok(_) = text.draw(&mut Magnified::new(canvas, Point::new(x, y), scale));
}
