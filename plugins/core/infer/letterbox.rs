//! Where the frame lies in the network's input.

use super::detection::Area;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// `width` by `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

/// Where the frame goes when it is smaller than the input in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Into the corner; sizes rounded down: the convention of YOLOX.
    TopLeft,
    /// Into the middle; sizes rounded to the nearest: the convention of Ultralytics.
    Centred,
}

/// The frame scaled into the network's input with its shape kept, and the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// The frame.
    pub frame: Size,
    /// The network's input.
    pub input: Size,
    /// The size of the scaled frame; at least 1 by 1, at most the input's.
    pub content: Size,
    /// Columns of the input left of the scaled frame.
    pub left: u32,
    /// Rows of the input above it.
    pub top: u32,
}

impl Letterbox {
    /// Fits `frame` into `input`.
    pub fn new(frame: Size, input: Size, placement: Placement) -> Self {
        let ratio = f64::min(
            f64::from(input.width) / f64::from(frame.width.max(1)),
            f64::from(input.height) / f64::from(frame.height.max(1)),
        );
        let fit = |length: u32, limit: u32| {
            let exact = f64::from(length) * ratio;
            // A product that misses a whole number by rounding alone is meant to be that number.
            let rounded = match placement {
                Placement::TopLeft => (exact + 1e-6).floor(),
                Placement::Centred => exact.round(),
            };
            (rounded as u32).clamp(1, limit.max(1))
        };
        let content = Size {
            width: fit(frame.width, input.width),
            height: fit(frame.height, input.height),
        };
        let margin = |limit: u32, length: u32| match placement {
            Placement::TopLeft => 0,
            // An odd margin has its greater half behind the frame, as at Ultralytics.
            Placement::Centred => limit.saturating_sub(length) / 2,
        };
        Self {
            frame,
            input,
            content,
            left: margin(input.width, content.width),
            top: margin(input.height, content.height),
        }
    }

    /// The part of `area`, in pixels of the input, that lies in the frame, in pixels of the frame.
    pub fn to_frame(&self, area: &Area) -> Area {
        let x = |at: f32| unscale(at, self.left, self.frame.width, self.content.width);
        let y = |at: f32| unscale(at, self.top, self.frame.height, self.content.height);
        Area {
            left: x(area.left),
            top: y(area.top),
            right: x(area.right),
            bottom: y(area.bottom),
        }
    }
}

fn unscale(at: f32, margin: u32, frame: u32, content: u32) -> f32 {
    let scale = f64::from(frame) / f64::from(content);
    ((f64::from(at) - f64::from(margin)) * scale).clamp(0.0, f64::from(frame)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wide_frame_leaves_rows_free() {
        let boxed = Letterbox::new(
            Size::new(1920, 1080),
            Size::new(416, 416),
            Placement::TopLeft,
        );
        assert_eq!(boxed.content, Size::new(416, 234));
        assert_eq!((boxed.left, boxed.top), (0, 0));
        let boxed = Letterbox::new(
            Size::new(1920, 1080),
            Size::new(640, 640),
            Placement::Centred,
        );
        assert_eq!(boxed.content, Size::new(640, 360));
        assert_eq!((boxed.left, boxed.top), (0, 140));
    }

    #[test]
    fn a_tall_frame_leaves_columns_free() {
        let boxed = Letterbox::new(Size::new(359, 641), Size::new(320, 320), Placement::Centred);
        assert_eq!(boxed.content, Size::new(179, 320));
        assert_eq!((boxed.left, boxed.top), (70, 0));
    }

    #[test]
    fn a_frame_of_the_right_size_stays_as_it_is() {
        let size = Size::new(416, 416);
        let boxed = Letterbox::new(size, size, Placement::TopLeft);
        assert_eq!((boxed.content, boxed.left, boxed.top), (size, 0, 0));
    }

    #[test]
    fn boxes_end_at_the_edge_of_the_frame() {
        let boxed = Letterbox::new(
            Size::new(1280, 720),
            Size::new(640, 640),
            Placement::Centred,
        );
        let whole = boxed.to_frame(&Area::around(320.0, 320.0, 2000.0, 2000.0));
        let frame = Area {
            left: 0.0,
            top: 0.0,
            right: 1280.0,
            bottom: 720.0,
        };
        assert_eq!(whole, frame);
    }

    proptest! {
        #[test]
        fn the_way_back_undoes_the_way_there(
            (width, height) in (1_u32..5000, 1_u32..5000),
            (x, y) in (0.0_f64..1.0, 0.0_f64..1.0),
            centred in any::<bool>(),
        ) {
            let placement = if centred { Placement::Centred } else { Placement::TopLeft };
            let boxed = Letterbox::new(Size::new(width, height), Size::new(416, 320), placement);
            prop_assert!(boxed.left + boxed.content.width <= 416);
            prop_assert!(boxed.top + boxed.content.height <= 320);
            let there_x = f64::from(boxed.left) + x * f64::from(boxed.content.width);
            let there_y = f64::from(boxed.top) + y * f64::from(boxed.content.height);
            let back = boxed.to_frame(&Area::around(there_x as f32, there_y as f32, 0.0, 0.0));
            // Half a float's step at 416, magnified by the scale.
            let allowed = 1e-4 * f64::from(width.max(height));
            prop_assert!((f64::from(back.left) - x * f64::from(width)).abs() <= allowed);
            prop_assert!((f64::from(back.top) - y * f64::from(height)).abs() <= allowed);
        }
    }
}
