//! Sizes that blocks of memory come in, so that frames of nearly the same size use the same blocks.

/// The smallest class, as a power of two: below, the system's own allocator recycles well.
const SMALLEST_LOG2: u32 = 15;
/// The largest class, as a power of two: 1 TiB.
const LARGEST_LOG2: u32 = 40;
/// Classes between two powers of two, as a power of two.
const STEPS_LOG2: u32 = 3;
const STEPS: u16 = 1 << STEPS_LOG2;

/// One of the sizes: a power of two plus so many eighths of it. A block is at most 12.5 % larger than what was asked
/// for, and a whole number of pages of 4096 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SizeClass(u16);

impl SizeClass {
    /// How many there are.
    pub const COUNT: usize = ((LARGEST_LOG2 - SMALLEST_LOG2) << STEPS_LOG2) as usize + 1;
    /// Bytes of the smallest.
    pub const SMALLEST: u64 = 1 << SMALLEST_LOG2;
    /// Bytes of the largest.
    pub const LARGEST: u64 = 1 << LARGEST_LOG2;

    /// The smallest class that holds `bytes`, or `None` where none does.
    pub const fn holding(bytes: u64) -> Option<Self> {
        if bytes > Self::LARGEST {
            return None;
        }
        if bytes <= Self::SMALLEST {
            return Some(Self(0));
        }
        let last = bytes - 1;
        let octave = last.ilog2();
        let step = (last - (1 << octave)) >> (octave - STEPS_LOG2);
        let below = (octave - SMALLEST_LOG2) << STEPS_LOG2;
        Some(Self(below as u16 + step as u16 + 1))
    }

    /// All of them, the smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u16).map(Self)
    }

    /// Which one of [`Self::all`] it is.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> u64 {
        let octave = SMALLEST_LOG2 + (self.0 / STEPS) as u32;
        let eighths = STEPS + self.0 % STEPS;
        (eighths as u64) << (octave - STEPS_LOG2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_class_is_larger_than_the_one_before_and_whole_pages() {
        let sizes: Vec<u64> = SizeClass::all().map(SizeClass::bytes).collect();
        assert_eq!(sizes.len(), SizeClass::COUNT);
        assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(sizes.iter().all(|size| size % 4096 == 0));
        assert_eq!(sizes.first(), Some(&SizeClass::SMALLEST));
        assert_eq!(sizes.last(), Some(&SizeClass::LARGEST));
    }

    #[test]
    fn a_class_holds_its_own_size_and_not_a_byte_more() {
        for (index, class) in SizeClass::all().enumerate() {
            assert_eq!(class.index(), index);
            assert_eq!(SizeClass::holding(class.bytes()), Some(class));
            let next = SizeClass::holding(class.bytes() + 1);
            assert_eq!(
                next.map(SizeClass::index),
                Some(index + 1).filter(|it| *it < SizeClass::COUNT)
            );
        }
        assert_eq!(SizeClass::holding(u64::MAX), None);
        assert_eq!(SizeClass::holding(0), SizeClass::all().next());
    }

    proptest! {
        #[test]
        fn at_most_an_eighth_is_wasted(bytes in SizeClass::SMALLEST..=SizeClass::LARGEST) {
            let held = SizeClass::holding(bytes).unwrap().bytes();
            prop_assert!(held >= bytes);
            prop_assert!((held - bytes) * 8 <= bytes, "{bytes} in {held}");
        }
    }
}
