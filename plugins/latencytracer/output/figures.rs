//! The figures of a stage, for every output that shows them by name.

use super::model::Stage;
use crate::latencytracer::report;
use crate::runtime::figures::{Figure, Value};

/// All there is to say of `stage`, under the names that `livetune-latency` messages use.
pub(super) fn figures(stage: &Stage) -> Vec<Figure> {
    let mut figures = report::common(&stage.name, &stage.figures);
    figures.extend(report::gaps(&stage.gaps));
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
