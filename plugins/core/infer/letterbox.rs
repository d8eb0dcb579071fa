//! Where the frame lies in the network's input.

use super::detection::Area;
use super::region::Region;

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

/// How a picture gets into an input of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Into the corner; sizes rounded down: the convention of YOLOX.
    TopLeft,
    /// Into the middle; sizes rounded to the nearest: the convention of Ultralytics.
    Centred,
    /// To the size of the input, its shape not kept.
    Stretch,
    /// The middle of it, as much as has the input's shape: the convention of classifiers.
    Crop,
}

/// A frame, or a region of one, scaled into the network's input, and the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// What of the frame is seen.
    pub source: Region,
    /// The network's input.
    pub input: Size,
    /// The size of what is seen in the input; at least 1 by 1, at most the input's.
    pub content: Size,
    /// Columns of the input left of it.
    pub left: u32,
    /// Rows of the input above it.
    pub top: u32,
}

impl Letterbox {
    /// Fits all of `frame` into `input`.
    pub fn new(frame: Size, input: Size, placement: Placement) -> Self {
        Self::of(Region::whole(frame), input, placement)
    }

    /// Fits `region` of a frame into `input`.
    pub fn of(region: Region, input: Size, placement: Placement) -> Self {
        match placement {
            Placement::TopLeft | Placement::Centred => Self::inside(region, input, placement),
            Placement::Stretch => Self::filled(region, input),
            Placement::Crop => Self::filled(middle(region, input), input),
        }
    }

    fn filled(source: Region, input: Size) -> Self {
        Self {
            source,
            input,
            content: Size::new(input.width.max(1), input.height.max(1)),
            left: 0,
            top: 0,
        }
    }

    fn inside(source: Region, input: Size, placement: Placement) -> Self {
        let ratio = f64::min(
            f64::from(input.width) / f64::from(source.width.max(1)),
            f64::from(input.height) / f64::from(source.height.max(1)),
        );
        let fit = |length: u32, limit: u32| {
            let exact = f64::from(length) * ratio;
            // A product that misses a whole number by rounding alone is meant to be that number.
            let rounded = match placement {
                Placement::TopLeft => (exact + 1e-6).floor(),
                _ => exact.round(),
            };
            (rounded as u32).clamp(1, limit.max(1))
        };
        let content = Size {
            width: fit(source.width, input.width),
            height: fit(source.height, input.height),
        };
        let margin = |limit: u32, length: u32| match placement {
            Placement::TopLeft => 0,
            // An odd margin has its greater half behind the frame, as at Ultralytics.
            _ => limit.saturating_sub(length) / 2,
        };
        Self {
            source,
            input,
            content,
            left: margin(input.width, content.width),
            top: margin(input.height, content.height),
        }
    }

    /// Whether the input has room around what is seen.
    pub fn has_padding(&self) -> bool {
        self.content != self.input
    }

    /// The part of `area`, in pixels of the input, that is seen of the frame, in pixels of the frame.
    pub fn to_frame(&self, area: &Area) -> Area {
        let (source, content) = (self.source, self.content);
        let x = |at: f32| unscale(at, self.left, source.left, source.width, content.width);
        let y = |at: f32| unscale(at, self.top, source.top, source.height, content.height);
        Area {
            left: x(area.left),
            top: y(area.top),
            right: x(area.right),
            bottom: y(area.bottom),
        }
    }
}

/// The largest part of `region` around its middle that has the shape of `input`.
fn middle(region: Region, input: Size) -> Region {
    let (width, height) = (f64::from(region.width), f64::from(region.height));
    let shape = f64::from(input.width.max(1)) / f64::from(input.height.max(1));
    let part = |length: u32, exact: f64| (exact.round() as u32).clamp(1, length.max(1));
    let (inner_width, inner_height) = (
        part(region.width, height * shape),
        part(region.height, width / shape),
    );
    Region {
        left: region.left + region.width.saturating_sub(inner_width) / 2,
        top: region.top + region.height.saturating_sub(inner_height) / 2,
        width: inner_width,
        height: inner_height,
    }
}

fn unscale(at: f32, margin: u32, start: u32, length: u32, content: u32) -> f32 {
    let scale = f64::from(length) / f64::from(content);
    let inside = ((f64::from(at) - f64::from(margin)) * scale).clamp(0.0, f64::from(length));
    (f64::from(start) + inside) as f32
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

    #[test]
    fn a_stretched_frame_fills_the_input_and_comes_back() {
        let boxed = Letterbox::new(
            Size::new(1280, 720),
            Size::new(320, 240),
            Placement::Stretch,
        );
        assert_eq!(boxed.content, boxed.input);
        assert!(!boxed.has_padding());
        let area = boxed.to_frame(&Area::around(160.0, 120.0, 32.0, 24.0));
        assert_eq!(area, Area::around(640.0, 360.0, 128.0, 72.0));
    }

    #[test]
    fn of_a_cropped_frame_the_middle_is_seen() {
        let boxed = Letterbox::new(Size::new(1280, 720), Size::new(224, 224), Placement::Crop);
        let middle = Region {
            left: 280,
            top: 0,
            width: 720,
            height: 720,
        };
        assert_eq!(boxed.source, middle);
        let boxed = Letterbox::new(Size::new(300, 500), Size::new(200, 100), Placement::Crop);
        assert_eq!((boxed.source.top, boxed.source.height), (175, 150));
    }

    #[test]
    fn a_region_stays_where_it_is_in_the_frame() {
        let region = Region {
            left: 100,
            top: 50,
            width: 200,
            height: 100,
        };
        let boxed = Letterbox::of(region, Size::new(100, 100), Placement::Centred);
        assert_eq!((boxed.content, boxed.top), (Size::new(100, 50), 25));
        let area = boxed.to_frame(&Area::around(50.0, 50.0, 10.0, 10.0));
        assert_eq!(area, Area::around(200.0, 100.0, 20.0, 20.0));
        let beyond = boxed.to_frame(&Area::around(0.0, 0.0, 500.0, 500.0));
        assert_eq!((beyond.left, beyond.top), (100.0, 50.0));
        assert_eq!((beyond.right, beyond.bottom), (300.0, 150.0));
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
