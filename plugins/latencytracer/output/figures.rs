//! The figures of stages and paths, for every output that shows them by name.

use super::model::{Path, Stage};
use crate::latencytracer::report;
use crate::runtime::figures::{Figure, Value};

/// All there is to say of `stage`, under the names that `livetune-latency` messages use.
pub(super) fn of_stage(stage: &Stage) -> Vec<Figure> {
    let mut figures = measured(stage);
    figures.push(Figure::new(
        "share",
        Value::Ratio(stage.share),
        "Part of the time that all stages of the path take",
    ));
    if stage.queue {
        let help = "How full the queue is";
        figures.push(Figure::new("fill", Value::Ratio(stage.fill), help));
    }
    figures
}

/// All there is to say of `path` as a whole: what its end measured, and where the time goes.
pub(super) fn of_path(path: &Path) -> Vec<Figure> {
    let text = |name, text: &str, help| Figure::new(name, Value::Text(text.to_owned()), help);
    let mut figures = measured(&path.end);
    figures.push(Figure::new(
        "remainder",
        Value::Offset(path.remainder),
        "Part of the mean transit that no stage accounts for",
    ));
    if let Some(bottleneck) = &path.bottleneck {
        figures.extend([
            text(
                "bottleneck",
                &bottleneck.stage,
                "The stage that holds frames up most",
            ),
            text(
                "bottleneck-reason",
                &bottleneck.reason,
                "Why it is the bottleneck",
            ),
        ]);
    }
    figures
}

fn measured(stage: &Stage) -> Vec<Figure> {
    let mut figures = report::common(&stage.name, &stage.figures);
    figures.extend(report::gaps(&stage.gaps));
    figures
}

/// As `of_stage`, with the distributions of transit and age.
pub(crate) fn all_figures(stage: &Stage) -> Vec<Figure> {
    let mut figures = of_stage(stage);
    if let Some(histograms) = &stage.histograms {
        figures.extend(report::distributions(&histograms.age, &histograms.transit));
    }
    figures
}
