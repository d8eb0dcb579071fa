//! One object that was found.

use super::letterbox::Size;

/// A rectangle in pixels, in the network's input or in the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// The x coordinate of the left edge.
    pub left: f32,
    /// The y coordinate of the top edge.
    pub top: f32,
    /// The x coordinate of the right edge.
    pub right: f32,
    /// The y coordinate of the bottom edge.
    pub bottom: f32,
}

impl Area {
    /// The rectangle of this size around the point `x`, `y`.
    pub fn around(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        }
    }

    /// Whether it is a rectangle at all: four numbers, and something between them.
    pub fn is_proper(&self) -> bool {
        let edges = [self.left, self.top, self.right, self.bottom];
        edges.iter().all(|edge| edge.is_finite())
            && self.left < self.right
            && self.top < self.bottom
    }

    /// The nearest rectangle of whole pixels in `frame`: left, top, width and height; at least one pixel.
    pub fn to_pixels(&self, frame: Size) -> (u32, u32, u32, u32) {
        let span = |start: f32, end: f32, limit: u32| {
            let start = (start.round() as u32).min(limit.saturating_sub(1));
            let end = (end.round() as u32).min(limit);
            (start, end.saturating_sub(start).max(1))
        };
        let (left, width) = span(self.left, self.right, frame.width);
        let (top, height) = span(self.top, self.bottom, frame.height);
        (left, top, width, height)
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.size() + other.size() - shared)
    }

    fn size(&self) -> f32 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// An object: where it is, what it is and how sure the network is of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Detection {
    /// Where it is.
    pub area: Area,
    /// The number of its class, counted from 0.
    pub class: usize,
    /// 0 to 1.
    pub confidence: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_shared_over_joined() {
        let one = Area::around(5.0, 5.0, 10.0, 10.0);
        let half = Area::around(10.0, 5.0, 10.0, 10.0);
        assert!((one.iou(&half) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(one.iou(&one), 1.0);
        assert_eq!(one.iou(&Area::around(50.0, 5.0, 10.0, 10.0)), 0.0);
    }

    #[test]
    fn whole_pixels_stay_in_the_frame() {
        let frame = Size::new(641, 359);
        let whole = Area::around(320.5, 179.5, 641.0, 359.0);
        assert_eq!(whole.to_pixels(frame), (0, 0, 641, 359));
        let thin = Area::around(640.9, 10.2, 0.1, 0.1);
        assert_eq!(thin.to_pixels(frame), (640, 10, 1, 1));
    }

    #[test]
    fn what_is_no_rectangle_is_known() {
        assert!(Area::around(0.0, 0.0, 1.0, 1.0).is_proper());
        assert!(!Area::around(0.0, 0.0, 0.0, 1.0).is_proper());
        assert!(!Area::around(0.0, 0.0, -3.0, 1.0).is_proper());
        assert!(!Area::around(f32::NAN, 0.0, 1.0, 1.0).is_proper());
        assert!(!Area::around(0.0, 0.0, f32::INFINITY, 1.0).is_proper());
    }
}
