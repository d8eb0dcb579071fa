//! Parts of a frame, in whole pixels.

use super::letterbox::Size;

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Region {
    /// Columns of the frame left of it.
    pub left: u32,
    /// Rows of the frame above it.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Region {
    /// All of `frame`.
    pub const fn whole(frame: Size) -> Self {
        Self {
            left: 0,
            top: 0,
            width: frame.width,
            height: frame.height,
        }
    }

    /// Its size.
    pub const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    /// What of it lies in `frame`; `None` where nothing does.
    pub fn within(&self, frame: Size) -> Option<Self> {
        let part = |start: u32, length: u32, limit: u32| {
            let length = length.min(limit.saturating_sub(start));
            (length > 0).then_some(length)
        };
        Some(Self {
            width: part(self.left, self.width, frame.width)?,
            height: part(self.top, self.height, frame.height)?,
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(left: u32, top: u32, width: u32, height: u32) -> Region {
        Region {
            left,
            top,
            width,
            height,
        }
    }

    #[test]
    fn what_reaches_out_of_the_frame_is_cut() {
        let frame = Size::new(100, 50);
        let inside = region(10, 20, 30, 30);
        assert_eq!(inside.within(frame), Some(inside));
        let cut = region(90, 40, 10, 10);
        assert_eq!(region(90, 40, u32::MAX, 20).within(frame), Some(cut));
        assert_eq!(region(100, 0, 10, 10).within(frame), None);
        assert_eq!(region(0, 0, 0, 10).within(frame), None);
    }
}
