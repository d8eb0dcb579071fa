//! 16 bit floating point (IEEE 754 binary16), which Rust has no type for yet.

/// Bits of the exponent's lowest place, and of its range, in f32.
const F32_EXPONENT: u32 = 23;
const F32_BIAS: i32 = 127;
const F16_BIAS: i32 = 15;

/// The number that `bits` are.
pub(in crate::gpuinfer) fn to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: the fraction counts 2^-24.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        0x1f => 0x7f80_0000 | fraction << 13,
        _ => (exponent + (F32_BIAS - F16_BIAS) as u32) << F32_EXPONENT | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The nearest to `number`, ties to even; infinite where it is too large.
pub(in crate::gpuinfer) fn from_f32(number: f32) -> u16 {
    let bits = number.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    if number.is_nan() {
        return sign | 0x7e00;
    }
    let magnitude = number.abs();
    // Halfway between the largest number and the next power of two.
    if magnitude >= 65_520.0 {
        return sign | 0x7c00;
    }
    // 2^-14, the smallest normal number: below it, the fraction counts 2^-24.
    if magnitude < 6.103_515_6e-5 {
        return sign | (magnitude * 16_777_216.0).round_ties_even() as u16;
    }
    let shifted = bits & 0x7fff_ffff;
    let rounded = shifted + 0xfff + (shifted >> 13 & 1);
    let rebased = rounded - ((F32_BIAS - F16_BIAS) as u32) * (1 << F32_EXPONENT);
    sign | (rebased >> 13) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_there_and_back_is_itself() {
        for bits in 0..=u16::MAX {
            let number = to_f32(bits);
            if number.is_nan() {
                assert!(to_f32(from_f32(number)).is_nan());
            } else {
                assert_eq!(from_f32(number), bits, "{number}");
            }
        }
    }

    #[test]
    fn known_numbers_have_their_bits() {
        // https://en.wikipedia.org/wiki/Half-precision_floating-point_format, examples.
        for (bits, number) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 0.000_000_059_604_645),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(to_f32(bits), number);
        }
        assert_eq!(from_f32(1.0 / 3.0), 0x3555);
        assert_eq!(from_f32(65_519.0), 0x7bff);
        assert_eq!(from_f32(65_520.0), 0x7c00);
        assert_eq!(from_f32(1e9), 0x7c00);
        assert_eq!(from_f32(1e-9), 0);
    }
}
