//! Numbers that carry their unit.

use std::fmt;
use std::time::Duration;

/// A bit rate in bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// No bits at all.
    pub const ZERO: Self = Self(0);

    /// `bits` per second.
    pub const fn from_bps(bits: u64) -> Self {
        Self(bits)
    }

    /// `kilobits` (1000 bits) per second.
    pub const fn from_kbps(kilobits: u64) -> Self {
        Self(kilobits.saturating_mul(1000))
    }

    /// `bytes` spread over `duration`; zero where the duration is.
    pub fn from_bytes_over(bytes: ByteCount, duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        if nanos == 0 {
            return Self::ZERO;
        }
        let bits = u128::from(bytes.as_u64()) * 8 * 1_000_000_000 / nanos;
        Self(u64::try_from(bits).unwrap_or(u64::MAX))
    }

    /// Bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// Bits per second, or the largest `u32` where that is less.
    pub fn as_bps_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// This rate times `factor`; a negative or undefined factor counts as zero.
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor.max(0.0)) as u64)
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.0 / 1000)
    }
}

/// An amount of data in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(u64);

impl ByteCount {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// `bytes` bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A part of a whole, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);

    /// `value` clamped to 0..1; an undefined value counts as 0.
    pub fn new(value: f64) -> Self {
        if value.is_nan() {
            return Self::ZERO;
        }
        Self(value.clamp(0.0, 1.0))
    }

    /// `part` of `whole`; 0 where there is no whole.
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self::ZERO;
        }
        Self::new(part as f64 / whole as f64)
    }

    /// The number, 0 to 1.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_bits_over_time() {
        let rate = Bitrate::from_bytes_over(ByteCount::new(125_000), Duration::from_millis(500));
        assert_eq!(rate, Bitrate::from_kbps(2_000));
        let never = Bitrate::from_bytes_over(ByteCount::new(1), Duration::ZERO);
        assert_eq!(never, Bitrate::ZERO);
    }

    #[test]
    fn ratios_stay_between_zero_and_one() {
        assert_eq!(Ratio::new(f64::NAN), Ratio::ZERO);
        assert_eq!(Ratio::of(3, 2).as_f64(), 1.0);
        assert_eq!(Ratio::of(1, 0), Ratio::ZERO);
    }

    #[test]
    fn a_rate_scaled_by_nonsense_is_zero() {
        assert_eq!(Bitrate::from_kbps(5).scaled(f64::NAN), Bitrate::ZERO);
        assert_eq!(Bitrate::from_kbps(5).scaled(-1.0), Bitrate::ZERO);
    }
}
