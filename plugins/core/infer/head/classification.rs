//! Classifiers: one score for each class, of the picture as a whole.

use super::super::found::{Class, Found};
use super::super::thresholds::Thresholds;
use super::output::{Activation, Output, WrongLength, best, sigmoid, sum_of_exponentials, take};
use super::{Known, Reader, Scratch, Seen};

/// Classes reported, unless somebody wants more or fewer: what benchmarks call top-5.
const TOP: usize = 5;

#[derive(Debug)]
struct Classification {
    at: usize,
    /// Numbers of the output.
    scores: usize,
    /// Those of them that count.
    counted: usize,
    activation: Activation,
    top: usize,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    // Some leave the last two dimensions of the picture in.
    let is_it = |output: &Output<'_>| match output.shape {
        [classes, rest @ ..] => *classes > 1 && rest.iter().all(|size| *size == 1),
        [] => false,
    };
    let at = seen.position(is_it)?;
    if !seen.is_sure && seen.outputs.len() > 1 {
        return None;
    }
    let output = take(seen.outputs, at);
    let classes = seen.classes(*output.shape.first()?)?;
    let activation = if is_distribution(output.data) {
        Activation::None
    } else {
        Activation::Softmax
    };
    let reader = Classification {
        at,
        scores: output.shape.iter().product(),
        counted: classes,
        activation: seen.hints.activation.unwrap_or(activation),
        top: seen.hints.top.unwrap_or(TOP),
    };
    Some(Known::of(classes, reader))
}

/// Whether `scores` are probabilities that add up.
fn is_distribution(scores: &[f32]) -> bool {
    /// What half precision leaves to rounding.
    const SLACK: f32 = 0.01;
    let sum: f32 = scores.iter().sum();
    scores.iter().all(|score| *score >= 0.0) && (sum - 1.0).abs() < SLACK
}

impl Reader for Classification {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let scores = take(outputs, self.at).exactly(self.scores)?;
        let (_, greatest) = best(scores);
        let sum = sum_of_exponentials(scores, greatest);
        let top = self.top.min(thresholds.max_objects);
        let counted = scores.iter().enumerate().take(self.counted);
        for (class, &score) in counted {
            let confidence = match self.activation {
                Activation::None => score,
                Activation::Sigmoid => sigmoid(score),
                Activation::Softmax => (score - greatest).exp() / sum,
            };
            // What is no number is never sure enough.
            if confidence >= thresholds.confidence && thresholds.classes.allows(class) {
                let confidence = confidence.min(1.0);
                insert(&mut found.classes, Class { class, confidence }, top);
            }
        }
        Ok(())
    }
}

/// Puts `class` where it belongs in `surest`, which is sorted and keeps `top` at most.
fn insert(surest: &mut Vec<Class>, class: Class, top: usize) {
    let at = surest.partition_point(|other| other.confidence >= class.confidence);
    if at >= top {
        return;
    }
    surest.truncate(top - 1);
    surest.insert(at, class);
}
