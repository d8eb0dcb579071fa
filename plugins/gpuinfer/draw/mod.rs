//! Boxes and labels in the picture.

mod canvas;
mod text;

use std::fmt::Write;

use gst_video::VideoFrameRef;
use livetune_core::infer::{Labels, Size};

use super::objects::{Object, What};
use canvas::{Canvas, Colour, Patch};
use text::Typeface;

/// Colours that lie far apart for the eye; classes take them in turn, or objects where they are tracked. From
/// P. Green-Armytage, "A Colour Alphabet and the Limits of Colour Coding" (2010), the bright ones.
const PALETTE: [Colour; 10] = [
    [43, 206, 72],
    [255, 164, 5],
    [94, 241, 242],
    [240, 163, 255],
    [255, 255, 128],
    [255, 0, 16],
    [0, 117, 220],
    [157, 204, 0],
    [255, 168, 187],
    [224, 255, 102],
];
const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];

/// A line is as thick as one of so many parts of the picture's shorter side, and two pixels at least: half the
/// colour of a thinner one is lost in 4:2:0.
const LINES_PER_SIDE: u32 = 360;
/// A line of text is as high as one of so many parts of the picture's shorter side, and so many pixels at least.
const TEXTS_PER_SIDE: u32 = 32;
const LEAST_TEXT: u32 = 14;

/// Draws objects; its text buffer and its letters are reused.
#[derive(Debug, Default)]
pub(super) struct Painter {
    text: String,
    typeface: Typeface,
}

impl Painter {
    /// Draws `objects` into the `visible` part of `frame`; nothing where the format is not known.
    pub(super) fn draw(
        &mut self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        visible: Size,
        objects: &[Object],
        labels: &Labels,
    ) {
        let Some(mut canvas) = Canvas::of(frame, visible) else {
            return;
        };
        let side = visible.width.min(visible.height);
        let thickness = (side / LINES_PER_SIDE).max(2);
        let height = (side / TEXTS_PER_SIDE).max(LEAST_TEXT);
        self.typeface.set_height(height);
        // More letters than that are not seen, and a line of a file may have millions.
        let letters = (visible.width / (height / 4)) as usize + 1;
        // The surest object on top.
        for object in objects.iter().rev() {
            let colour = colour(object);
            let corner = match object.what {
                What::Detected => {
                    draw_frame(&mut canvas, object.rect, thickness, colour);
                    above(object.rect, height)
                }
                What::Classified => inside(object, height),
            };
            self.text.clear();
            // Writing into a string does not fail.
            if let Some(track) = object.track {
                let _ = write!(self.text, "#{track} ");
            }
            let label = labels.name(object.class);
            let percent = object.confidence * 100.0;
            self.text.extend(label.chars().take(letters));
            let _ = write!(self.text, " {percent:.0}%");
            self.draw_label(&mut canvas, corner, height, colour);
        }
    }

    /// Text on the colour of the box.
    fn draw_label(
        &mut self,
        canvas: &mut Canvas<'_>,
        (x, y): (u32, u32),
        height: u32,
        colour: Colour,
    ) {
        let margin = height / 6;
        let width = self.typeface.width(&self.text).ceil() as u32 + 2 * margin;
        // Kept whole where the box is at the right edge.
        let x = x.min(canvas.size().width.saturating_sub(width));
        let Size {
            width: right,
            height: bottom,
        } = canvas.size();
        let patch = Patch {
            from: (x, y),
            to: ((x + width).min(right), (y + height).min(bottom)),
        };
        canvas.fill(patch, colour);
        let ink = if is_bright(colour) { BLACK } else { WHITE };
        self.typeface
            .write(canvas, &self.text, (x + margin, y), patch, ink);
    }
}

/// Where the label goes of a box: above it where there is room, else inside.
fn above((x, y, ..): (u32, u32, u32, u32), height: u32) -> (u32, u32) {
    (x, if y >= height { y - height } else { y })
}

/// Where the label goes of what an object was classified as: to the foot of its box; of the frame to its head.
fn inside(object: &Object, height: u32) -> (u32, u32) {
    let (x, y, _, h) = object.rect;
    let foot = h.saturating_sub(height) * u32::from(object.parent.is_some());
    (x, y + foot)
}

/// That of the track, or of the class where the object is not tracked.
fn colour(object: &Object) -> Colour {
    let number = object.track.unwrap_or(object.class as u64);
    PALETTE[(number % PALETTE.len() as u64) as usize]
}

/// Whether black is read better on it than white, by the weights of ITU-R BT.601.
fn is_bright([red, green, blue]: Colour) -> bool {
    299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) > 110_000
}

/// Four bars inside the edges of `rect`.
fn draw_frame(
    canvas: &mut Canvas<'_>,
    (left, top, width, height): (u32, u32, u32, u32),
    thickness: u32,
    colour: Colour,
) {
    let (right, bottom) = (left + width, top + height);
    let (across, down) = (thickness.min(width), thickness.min(height));
    for (from, to) in [
        ((left, top), (right, top + down)),
        ((left, bottom - down), (right, bottom)),
        ((left, top), (left + across, bottom)),
        ((right - across, top), (right, bottom)),
    ] {
        canvas.fill(Patch { from, to }, colour);
    }
}
