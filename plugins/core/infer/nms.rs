//! Non-maximum suppression: of several boxes around one object, the surest stays.

use super::detection::Detection;
use super::thresholds::Thresholds;

/// Candidates looked at, surest first; the bound that Ultralytics calls `max_nms`.
const MAX_CANDIDATES: usize = 30_000;

/// Keeps of every group of `found` that overlap too much and are of one class the surest, and of all of them the
/// surest, not too many; sorted by falling confidence.
pub fn suppress(found: &mut Vec<Detection>, thresholds: &Thresholds) {
    let (iou, limit) = (thresholds.iou, thresholds.max_objects);
    sort(found);
    found.truncate(MAX_CANDIDATES);
    let mut kept = 0;
    for at in 0..found.len() {
        if kept == limit {
            break;
        }
        let candidate = found[at];
        let hidden = found[..kept].iter().any(|surer| {
            (thresholds.across_classes || surer.class == candidate.class)
                && surer.area.iou(&candidate.area) > iou
        });
        if !hidden {
            found[kept] = candidate;
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Sorts `found` by falling confidence, equals always in the same order.
pub(super) fn sort(found: &mut [Detection]) {
    found.sort_unstable_by(|a, b| {
        let surest_first = b.confidence.total_cmp(&a.confidence);
        let then_by_place = a.area.left.total_cmp(&b.area.left);
        surest_first.then(then_by_place).then(a.class.cmp(&b.class))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::detection::Area;
    use proptest::prelude::*;

    fn thresholds(iou: f32, max_objects: usize) -> Thresholds {
        Thresholds {
            iou,
            max_objects,
            ..Thresholds::default()
        }
    }

    fn found(x: f32, class: usize, confidence: f32) -> Detection {
        Detection {
            area: Area::around(x, 0.0, 10.0, 10.0),
            class,
            confidence,
        }
    }

    #[test]
    fn the_surest_of_a_group_stays() {
        let mut all = vec![found(1.0, 0, 0.6), found(0.0, 0, 0.9), found(30.0, 0, 0.5)];
        suppress(&mut all, &thresholds(0.45, 300));
        assert_eq!(all, [found(0.0, 0, 0.9), found(30.0, 0, 0.5)]);
    }

    #[test]
    fn classes_do_not_hide_each_other() {
        let mut all = vec![found(0.0, 0, 0.9), found(0.0, 1, 0.8)];
        suppress(&mut all, &thresholds(0.45, 300));
        assert_eq!(all.len(), 2);
        let across = Thresholds {
            across_classes: true,
            ..Thresholds::default()
        };
        suppress(&mut all, &across);
        assert_eq!(all, [found(0.0, 0, 0.9)]);
    }

    proptest! {
        #[test]
        fn what_stays_is_few_sorted_and_apart(
            all in prop::collection::vec((0.0_f32..100.0, 0_usize..3, 0.0_f32..1.0), 0..200),
            iou in 0.0_f32..1.0,
            limit in 0_usize..40,
        ) {
            let before: Vec<_> = all.iter().map(|&(x, class, sure)| found(x, class, sure)).collect();
            let mut after = before.clone();
            suppress(&mut after, &thresholds(iou, limit));
            prop_assert!(after.len() <= limit);
            prop_assert!(after.iter().all(|one| before.contains(one)));
            prop_assert!(after.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));
            for (at, one) in after.iter().enumerate() {
                let near = |other: &Detection| other.class == one.class && other.area.iou(&one.area) > iou;
                prop_assert!(!after[..at].iter().any(near));
            }
        }
    }
}
