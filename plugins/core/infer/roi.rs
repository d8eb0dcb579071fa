//! Regions of interest as a user writes them.

use std::sync::Arc;

use super::letterbox::Size;
use super::region::Region;

/// Rectangles in pixels, or in widths and heights of the frame; a copy costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rois(Option<Arc<[Roi]>>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Roi {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    /// In widths and heights of the frame.
    is_relative: bool,
}

impl Rois {
    /// What [`Self::parse`] wants, for the reader of an error message.
    pub const FORM: &'static str = "x,y,w,h;x,y,w,h;... in pixels, or in parts of the frame where all four are at \
         most 1, like 0.5,0,0.5,1 for its right half";

    /// Reads rectangles `x,y,w,h` with semicolons between them. One whose numbers are all at most 1 is in widths and
    /// heights of the frame. The error is the rectangle that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split(';').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let roi = |entry: &str| Roi::parse(entry).ok_or_else(|| entry.to_owned());
        let all: Vec<Roi> = entries.map(roi).collect::<Result<_, _>>()?;
        Ok(Self((!all.is_empty()).then(|| all.into())))
    }

    /// None: the whole frame is meant.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Puts what of them lies in `frame` into `regions`, in their order.
    pub fn regions(&self, frame: Size, regions: &mut Vec<Region>) {
        regions.clear();
        let all = self
            .0
            .iter()
            .flat_map(|all| all.iter())
            .map(|roi| roi.region(frame));
        regions.extend(all.filter_map(|region| region.within(frame)));
    }
}

impl Roi {
    fn parse(entry: &str) -> Option<Self> {
        let mut numbers = entry.split(',').map(|number| number.trim().parse().ok());
        let mut next = || -> Option<f64> {
            let number: f64 = numbers.next()??;
            (0.0..=f64::from(u32::MAX))
                .contains(&number)
                .then_some(number)
        };
        let (left, top, width, height) = (next()?, next()?, next()?, next()?);
        let is_complete = numbers.next().is_none() && width > 0.0 && height > 0.0;
        let is_relative = [left, top, width, height]
            .iter()
            .all(|number| *number <= 1.0);
        is_complete.then_some(Self {
            left,
            top,
            width,
            height,
            is_relative,
        })
    }

    /// Its nearest whole pixels.
    fn region(&self, frame: Size) -> Region {
        let span = |start: f64, length: f64, whole: u32| {
            let unit = if self.is_relative {
                f64::from(whole)
            } else {
                1.0
            };
            let (start, end) = ((start * unit).round(), ((start + length) * unit).round());
            (start as u32, (end - start) as u32)
        };
        let (left, width) = span(self.left, self.width, frame.width);
        let (top, height) = span(self.top, self.height, frame.height);
        Region {
            left,
            top,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: Size = Size::new(640, 360);

    fn regions(text: &str) -> Vec<(u32, u32, u32, u32)> {
        let mut regions = Vec::new();
        Rois::parse(text)
            .expect("rectangles")
            .regions(FRAME, &mut regions);
        let numbers = |region: &Region| (region.left, region.top, region.width, region.height);
        regions.iter().map(numbers).collect()
    }

    #[test]
    fn pixels_and_parts_of_the_frame_go_side_by_side() {
        let text = "10, 20, 100, 50; 0.5,0,0.5,1;";
        assert_eq!(regions(text), [(10, 20, 100, 50), (320, 0, 320, 360)]);
        assert_eq!(regions("0,0,1,1"), [(0, 0, 640, 360)]);
        assert_eq!(regions("0,0,1,2"), [(0, 0, 1, 2)], "2 is no part");
    }

    #[test]
    fn what_lies_outside_of_the_frame_is_left_out() {
        assert_eq!(regions("600,300,100,100;700,0,10,10"), [(600, 300, 40, 60)]);
        assert!(Rois::parse(" ; ").is_ok_and(|rois| rois.is_empty()));
    }

    #[test]
    fn what_is_no_rectangle_is_named() {
        for wrong in [
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "1,2,0,4",
            "-1,2,3,4",
            "nan,0,1,1",
            "1e99,0,1,1",
        ] {
            let text = format!("1,2,3,4;{wrong}");
            assert_eq!(Rois::parse(&text), Err(wrong.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_regions_are_in_the_frame(
            text in "[-0-9.,;e ]{0,40}",
            width in 1_u32..5000,
            height in 1_u32..5000,
        ) {
            if let Ok(rois) = Rois::parse(&text) {
                let mut regions = Vec::new();
                rois.regions(Size::new(width, height), &mut regions);
                for region in regions {
                    prop_assert!(region.width > 0 && region.left + region.width <= width);
                    prop_assert!(region.height > 0 && region.top + region.height <= height);
                }
            }
        }
    }
}
