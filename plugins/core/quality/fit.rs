//! What a rung comes to for the video that is really there.

use super::ladder::{Ladder, Rung};
use super::rate::FrameRate;
use crate::units::Bitrate;

/// The video that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputVideo {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Width to height of one pixel.
    pub pixel_aspect: (u32, u32),
    /// Frames per second, or `None` where they vary or nobody knows.
    pub rate: Option<FrameRate>,
    /// Whether its size can be changed.
    pub scalable: bool,
}

/// A rung as it comes out for an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// Width in pixels: that of the input, or even.
    pub width: u32,
    /// Height in pixels: that of the input, or even.
    pub height: u32,
    /// Frames per second, at most.
    pub rate: FrameRate,
    /// Whether frames may have to be dropped to get to that rate.
    pub decimates: bool,
    /// Whether the size is that of the input.
    pub full_size: bool,
    /// The bit rate below which a rung with fewer pixels looks better.
    pub need: Bitrate,
}

/// What `rung` comes to for `input`: as large as fits its box with the shape kept, never above the input. The box lies
/// on its side for a picture that stands upright; it holds the picture as it is shown, with square pixels.
pub fn fit(rung: &Rung, input: &InputVideo) -> Fitted {
    let longest = rung.width.max(rung.height);
    let (width, height) = match shrink_factor(rung, input) {
        Some(factor) => (
            even(f64::from(input.width) * factor, longest),
            even(f64::from(input.height) * factor, longest),
        ),
        None => (input.width, input.height),
    };
    let rate = input.rate.map_or(rung.rate, |rate| rate.min(rung.rate));
    Fitted {
        width,
        height,
        rate,
        decimates: input.rate != Some(rate),
        full_size: (width, height) == (input.width, input.height),
        need: bitrate_needed(width, height, rate),
    }
}

/// The rungs worth stepping on, as places in `fitted`, the best first. Of rungs that come out alike for this input only
/// the lowest is, and none that asks for no more than one below it. The lowest rung always is.
pub fn usable(fitted: &[Fitted]) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::with_capacity(fitted.len());
    for (place, rung) in fitted.iter().enumerate().rev() {
        let below = kept.last().map(|&place| fitted[place].need);
        if below.is_none_or(|need| rung.need > need) {
            kept.push(place);
        }
    }
    kept.reverse();
    kept
}

/// The bit rate from which on H.264 video of that size and rate is worth sending.
///
/// libwebrtc's table for H.264 (`encoder_info_settings.cc`, minimum start bit rate where the QP is not known) says 500
/// kbit/s for 640x360, 800 for 960x540, 1500 for 1280x720 and 2500 for 1920x1080, all at 30 frames a second. Those
/// four lie within 15 % of one curve: 500 kbit/s x (pixels per second / those of 640x360@30) ^ 0.75, the exponent
/// that ladders for streaming are usually drawn with. The curve also gives 4K and other frame rates.
pub fn bitrate_needed(width: u32, height: u32, rate: FrameRate) -> Bitrate {
    const ANCHOR: Bitrate = Bitrate::from_kbps(500);
    const ANCHOR_PIXELS_PER_SECOND: f64 = 640.0 * 360.0 * 30.0;
    const EXPONENT: f64 = 0.75;
    let pixels_per_second = f64::from(width) * f64::from(height) * rate.as_f64();
    ANCHOR.scaled((pixels_per_second / ANCHOR_PIXELS_PER_SECOND).powf(EXPONENT))
}

impl Ladder {
    /// Every rung as it comes out for `input`, in the order of the ladder.
    pub fn fit(&self, input: &InputVideo) -> Vec<Fitted> {
        self.rungs().iter().map(|rung| fit(rung, input)).collect()
    }
}

/// By how much both sides shrink, or `None` where the picture is left alone.
fn shrink_factor(rung: &Rung, input: &InputVideo) -> Option<f64> {
    let (pixel_width, pixel_height) = input.pixel_aspect;
    let pixel_aspect = f64::from(pixel_width.max(1)) / f64::from(pixel_height.max(1));
    let shown_width = f64::from(input.width) * pixel_aspect.max(1.0);
    let shown_height = f64::from(input.height) / pixel_aspect.min(1.0);
    let (long, short) = (rung.width.max(rung.height), rung.width.min(rung.height));
    let (box_width, box_height) = if shown_width < shown_height {
        (short, long)
    } else {
        (long, short)
    };
    let factor = (f64::from(box_width) / shown_width).min(f64::from(box_height) / shown_height);
    (input.scalable && factor < 1.0).then_some(factor)
}

/// The even number next to `side`, at least 2 and at most `longest`.
fn even(side: f64, longest: u32) -> u32 {
    let pairs = ((side / 2.0).round() as u32).min(longest / 2);
    (pairs * 2).max(2)
}

#[cfg(test)]
mod tests {
    use super::super::ladder::DEFAULT_LADDER;
    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: u32) -> FrameRate {
        FrameRate::new(per_second, 1).unwrap()
    }

    fn camera(width: u32, height: u32, per_second: u32) -> InputVideo {
        InputVideo {
            width,
            height,
            pixel_aspect: (1, 1),
            rate: FrameRate::new(per_second, 1),
            scalable: true,
        }
    }

    fn sizes(input: &InputVideo) -> Vec<(u32, u32)> {
        let fitted = Ladder::parse(DEFAULT_LADDER).unwrap().fit(input);
        fitted.iter().map(|f| (f.width, f.height)).collect()
    }

    #[test]
    fn a_full_hd_camera_gets_the_rungs_as_written_but_no_more_than_it_has() {
        let expected = [
            (1920, 1080),
            (1920, 1080),
            (1280, 720),
            (640, 360),
            (426, 240),
        ];
        assert_eq!(sizes(&camera(1920, 1080, 30)), expected);
        let fitted = Ladder::parse(DEFAULT_LADDER)
            .unwrap()
            .fit(&camera(1920, 1080, 25));
        let rates: Vec<f64> = fitted.iter().map(|f| f.rate.as_f64()).collect();
        assert_eq!(rates, [25.0, 25.0, 25.0, 20.0, 15.0]);
        let decimates: Vec<bool> = fitted.iter().map(|f| f.decimates).collect();
        assert_eq!(decimates, [false, false, false, true, true]);
        assert!(fitted[1].full_size && !fitted[2].full_size);
    }

    #[test]
    fn odd_sizes_stay_at_the_top_and_are_even_below() {
        let sizes = sizes(&camera(641, 359, 30));
        assert_eq!(sizes[..3], [(641, 359); 3]);
        assert_eq!(sizes[3..], [(640, 358), (426, 238)]);
    }

    #[test]
    fn an_upright_picture_gets_an_upright_box() {
        let expected = [
            (1080, 1920),
            (1080, 1920),
            (720, 1280),
            (360, 640),
            (240, 426),
        ];
        assert_eq!(sizes(&camera(1080, 1920, 30)), expected);
    }

    #[test]
    fn a_picture_of_another_shape_keeps_it() {
        assert_eq!(sizes(&camera(640, 480, 30))[3..], [(480, 360), (320, 240)]);
        assert_eq!(sizes(&camera(2560, 1080, 30))[2], (1280, 540));
    }

    #[test]
    fn the_box_holds_the_picture_as_it_is_shown() {
        let mut pal_wide = camera(720, 576, 25);
        pal_wide.pixel_aspect = (64, 45);
        assert_eq!(sizes(&pal_wide)[3], (450, 360));
        let mut narrow = camera(720, 480, 30);
        narrow.pixel_aspect = (10, 11);
        assert_eq!(sizes(&narrow)[3], (490, 328));
    }

    #[test]
    fn a_video_that_cannot_be_scaled_keeps_its_size_on_every_rung() {
        let mut input = camera(1920, 1080, 30);
        input.scalable = false;
        assert_eq!(sizes(&input), [(1920, 1080); 5]);
    }

    #[test]
    fn an_unknown_frame_rate_is_held_down_to_that_of_the_rung() {
        let mut input = camera(640, 360, 30);
        input.rate = None;
        let fitted = Ladder::parse(DEFAULT_LADDER).unwrap().fit(&input);
        assert!(fitted.iter().all(|rung| rung.decimates));
        assert_eq!(fitted[2].rate, rate(25));
    }

    #[test]
    fn rungs_that_come_out_alike_count_once_under_the_lowest_name() {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        let usable_for = |input| usable(&ladder.fit(&input));
        assert_eq!(usable_for(camera(3840, 2160, 30)), [0, 1, 2, 3, 4]);
        assert_eq!(usable_for(camera(1920, 1080, 30)), [1, 2, 3, 4]);
        assert_eq!(usable_for(camera(1280, 720, 25)), [2, 3, 4]);
        assert_eq!(usable_for(camera(1280, 720, 30)), [1, 2, 3, 4]);
        assert_eq!(usable_for(camera(160, 120, 10)), [4]);
        let crossed = Ladder::parse("slow=1280x720@10,small=640x360@30").unwrap();
        assert_eq!(usable(&crossed.fit(&camera(640, 360, 30))), [1]);
    }

    #[test]
    fn the_need_follows_the_table_it_comes_from() {
        let table = [
            (640, 360, 500.0),
            (960, 540, 800.0),
            (1280, 720, 1500.0),
            (1920, 1080, 2500.0),
        ];
        for (width, height, kbps) in table {
            let need = bitrate_needed(width, height, rate(30)).as_bps() as f64 / 1000.0;
            let error = (need - kbps).abs() / kbps;
            assert!(error < 0.15, "{width}x{height}: {need} kbit/s");
        }
    }

    proptest! {
        #[test]
        fn the_picture_fits_keeps_its_shape_and_never_grows(
            width in 2..8000_u32,
            height in 2..8000_u32,
            rung in 0..5_usize,
        ) {
            let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
            let fitted = fit(&ladder.rungs()[rung], &camera(width, height, 30));
            prop_assert!(fitted.width <= width && fitted.height <= height);
            if !fitted.full_size {
                prop_assert!(fitted.width.is_multiple_of(2) && fitted.height.is_multiple_of(2));
                let rung = &ladder.rungs()[rung];
                let (long, short) = (fitted.width.max(fitted.height), fitted.width.min(fitted.height));
                prop_assert!(long <= rung.width && short <= rung.height);
                let drawn = f64::from(fitted.height) * f64::from(width) / f64::from(height);
                // Sides are even: either is off by one pixel, by two where it would be less than two pixels.
                let off = if short == 2 { 2.0 } else { 1.0 };
                let slack = off * (1.01 + f64::from(width) / f64::from(height));
                prop_assert!((drawn - f64::from(fitted.width)).abs() <= slack);
            }
        }
    }
}
