//! What counts as an object.

use std::sync::Arc;

/// Objects per frame, the surest ones; the bound that Ultralytics calls `max_det`.
pub const MAX_OBJECTS: usize = 300;

/// What counts as an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// The least confidence, 0 to 1.
    pub confidence: f32,
    /// Two boxes of one class that overlap by more than this (intersection over union) are one object.
    pub iou: f32,
    /// Objects per picture, the surest ones.
    pub max_objects: usize,
    /// Boxes of different classes hide each other too.
    pub across_classes: bool,
    /// Which classes count at all.
    pub classes: ClassFilter,
}

/// Which classes count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClassFilter(Option<Arc<[bool]>>);

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            confidence: 0.5,
            iou: 0.45,
            max_objects: MAX_OBJECTS,
            across_classes: false,
            classes: ClassFilter::all(),
        }
    }
}

impl ClassFilter {
    /// Every class.
    pub const fn all() -> Self {
        Self(None)
    }

    /// The classes of these numbers only.
    pub fn only(numbers: &[usize]) -> Self {
        let length = numbers.iter().max().map_or(0, |most| most + 1);
        Self(Some((0..length).map(|at| numbers.contains(&at)).collect()))
    }

    /// Whether `class` counts.
    pub fn allows(&self, class: usize) -> bool {
        self.0
            .as_ref()
            .is_none_or(|allowed| allowed.get(class).copied().unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_allows_what_it_names() {
        let some = ClassFilter::only(&[4, 1]);
        let allowed: Vec<usize> = (0..7).filter(|class| some.allows(*class)).collect();
        assert_eq!(allowed, [1, 4]);
        assert!(ClassFilter::all().allows(1000));
        assert!(!ClassFilter::only(&[]).allows(0));
    }
}
