//! Where a box will be: a Kalman filter of constant velocity.
//!
//! ByteTrack filters centre and size of a box together, with noise that is independent in each. Then none of the four
//! tells anything of the others, and four filters of two numbers each come to the same.

use crate::infer::detection::Area;

/// What ByteTrack counts in: its noise is that of a video of so many frames a second.
const FRAMES_PER_SECOND: f32 = 30.0;
/// How far a measured box is off, and how far its place wanders in a frame, as parts of the box's side (ByteTrack).
const PLACE_NOISE: f32 = 1.0 / 20.0;
/// How far a velocity wanders in a frame, as parts of the box's side per frame (ByteTrack).
const VELOCITY_NOISE: f32 = 1.0 / 160.0;
/// How much less is known of a box seen for the first time: place and velocity (ByteTrack).
const AT_FIRST: (f32, f32) = (2.0, 10.0);

/// A number that changes evenly, and how sure that is.
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    value: f32,
    /// Per frame of 1/30 s.
    velocity: f32,
    /// Variances of both and their covariance.
    variance: f32,
    covariance: f32,
    velocity_variance: f32,
}

impl Axis {
    fn new(value: f32, side: f32) -> Self {
        let place = AT_FIRST.0 * PLACE_NOISE * side;
        let velocity = AT_FIRST.1 * VELOCITY_NOISE * side;
        Self {
            value,
            velocity: 0.0,
            variance: place * place,
            covariance: 0.0,
            velocity_variance: velocity * velocity,
        }
    }

    /// Lets `frames` of time pass: both numbers wander on their own, so that two short steps come to one long.
    fn advance(&mut self, frames: f32, side: f32) {
        let place = (PLACE_NOISE * side).powi(2);
        let velocity = (VELOCITY_NOISE * side).powi(2);
        self.value += frames * self.velocity;
        self.variance += frames * (2.0 * self.covariance + frames * self.velocity_variance)
            + frames * place
            + frames.powi(3) / 3.0 * velocity;
        self.covariance += frames * self.velocity_variance + frames * frames / 2.0 * velocity;
        self.velocity_variance += frames * velocity;
    }

    fn correct(&mut self, measured: f32, side: f32) {
        let noise = (PLACE_NOISE * side).powi(2);
        let sum = self.variance + noise;
        let (gain, velocity_gain) = (self.variance / sum, self.covariance / sum);
        let error = measured - self.value;
        self.value += gain * error;
        self.velocity += velocity_gain * error;
        self.velocity_variance -= velocity_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.variance *= 1.0 - gain;
    }
}

/// A box in motion.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Motion {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
}

impl Motion {
    pub(super) fn new(area: &Area) -> Self {
        let [x, y, width, height] = centre_and_size(area);
        let side = side(width, height);
        let axis = |value| Axis::new(value, side);
        Self {
            x: axis(x),
            y: axis(y),
            width: axis(width),
            height: axis(height),
        }
    }

    /// Lets `seconds` pass.
    pub(super) fn advance(&mut self, seconds: f32) {
        let side = side(self.width.value, self.height.value);
        for axis in self.axes() {
            axis.advance(seconds * FRAMES_PER_SECOND, side);
        }
    }

    /// The box was seen as `area`.
    pub(super) fn correct(&mut self, area: &Area) {
        let [x, y, width, height] = centre_and_size(area);
        let side = side(width, height);
        for (axis, measured) in self.axes().into_iter().zip([x, y, width, height]) {
            axis.correct(measured, side);
        }
    }

    /// The box is out of sight: that it went on growing or shrinking is not believed.
    pub(super) fn keep_size(&mut self) {
        self.width.velocity = 0.0;
        self.height.velocity = 0.0;
    }

    /// Where it is now.
    pub(super) fn area(&self) -> Area {
        let [width, height] = [self.width, self.height].map(|axis| axis.value.max(0.0));
        Area::around(self.x.value, self.y.value, width, height)
    }

    fn axes(&mut self) -> [&mut Axis; 4] {
        [&mut self.x, &mut self.y, &mut self.width, &mut self.height]
    }
}

fn centre_and_size(area: &Area) -> [f32; 4] {
    [
        (area.left + area.right) / 2.0,
        (area.top + area.bottom) / 2.0,
        area.right - area.left,
        area.bottom - area.top,
    ]
}

/// The side of a square as large as the box; of one pixel at least, so that no noise is nought.
fn side(width: f32, height: f32) -> f32 {
    (width * height).max(1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_motion_is_learned_and_continued() {
        let at = |frame: f32| Area::around(100.0 + 4.0 * frame, 50.0, 40.0, 100.0);
        let mut motion = Motion::new(&at(0.0));
        for frame in 1..=20 {
            motion.advance(1.0 / 30.0);
            motion.correct(&at(frame as f32));
        }
        motion.advance(0.5);
        assert!(motion.area().iou(&at(35.0)) > 0.9, "{:?}", motion.area());
    }

    #[test]
    fn two_short_steps_come_to_one_long() {
        let area = Area::around(10.0, 10.0, 20.0, 20.0);
        let (mut one, mut two) = (Motion::new(&area), Motion::new(&area));
        one.advance(0.2);
        two.advance(0.1);
        two.advance(0.1);
        for (one, two) in one.axes().into_iter().zip(two.axes()) {
            assert!((one.variance - two.variance).abs() < 1e-3);
            assert!((one.covariance - two.covariance).abs() < 1e-3);
        }
    }
}
