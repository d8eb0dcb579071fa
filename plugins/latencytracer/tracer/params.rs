//! The parameters as the user writes them: `interval=5000,report=interval`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::latencytracer::output::{Plan, Targets};
use crate::latencytracer::{ReportAt, ReportFormat};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) enabled: bool,
    /// Milliseconds.
    pub(super) interval: u32,
    pub(super) report: ReportAt,
    pub(super) report_format: ReportFormat,
    /// `None`: standard error.
    pub(super) report_location: Option<String>,
    /// `None`: no log.
    pub(super) log_location: Option<String>,
    /// Names of pipelines, with `*` for any letters; `None`: all.
    pub(super) filter: Option<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: 5_000,
            report: ReportAt::Eos,
            report_format: ReportFormat::Table,
            report_location: None,
            log_location: None,
            filter: None,
        }
    }
}

const UNKNOWN: &str = "no such parameter; there are report, report-format, report-location, log-location, interval, \
                       filter and enabled";

/// A parameter that does not hold, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    text: String,
    why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\": {}", self.text, self.why)
    }
}

impl Params {
    /// What `text` says, and what of it could not be taken.
    pub(super) fn parse(text: &str) -> (Self, Vec<Refused>) {
        let mut params = Self::default();
        let mut refused = Vec::new();
        for part in split(text) {
            if let Err(why) = params.take_in(part) {
                let text = part.to_owned();
                refused.push(Refused { text, why });
            }
        }
        (params, refused)
    }

    fn take_in(&mut self, part: &str) -> Result<(), &'static str> {
        let (name, value) = part.split_once('=').ok_or("write name=value")?;
        let value = plain(value);
        match name.trim() {
            "enabled" => self.enabled = boolean(value)?,
            "interval" => self.interval = interval(value)?,
            "report" => self.report = when(value)?,
            "report-format" => self.report_format = format(value)?,
            "report-location" => self.report_location = some(value),
            "log-location" => self.log_location = some(value),
            "filter" => self.filter = some(value),
            _ => return Err(UNKNOWN),
        }
        Ok(())
    }

    pub(super) fn plan(&self) -> Plan {
        let periodic = self.report == ReportAt::Interval || self.log_location.is_some();
        let millis = if periodic { self.interval } else { 0 };
        Plan {
            interval: Duration::from_millis(millis.into()),
            report: self.report,
            targets: Targets {
                format: self.report_format,
                report: self.report_location.as_ref().map(PathBuf::from),
                log: self.log_location.as_ref().map(PathBuf::from),
            },
            tell: false,
        }
    }

    /// Whether pipelines called `name` are measured.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|pattern| matches(pattern, name))
    }
}

/// The parts between commas that are not in quotes.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = text.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Without the type that GStreamer's own notation allows in front, and without quotes.
fn plain(value: &str) -> &str {
    let value = value.trim();
    let value = match value.strip_prefix('(') {
        Some(rest) => rest.split_once(')').map_or(value, |(_, value)| value),
        None => value,
    };
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn boolean(value: &str) -> Result<bool, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("write true or false"),
    }
}

fn interval(value: &str) -> Result<u32, &'static str> {
    let millis = value.parse().ok().filter(|millis| *millis > 0);
    millis.ok_or("write milliseconds, 1 or more")
}

fn when(value: &str) -> Result<ReportAt, &'static str> {
    match value {
        "none" => Ok(ReportAt::None),
        "eos" => Ok(ReportAt::Eos),
        "interval" => Ok(ReportAt::Interval),
        _ => Err("write none, eos or interval"),
    }
}

fn format(value: &str) -> Result<ReportFormat, &'static str> {
    match value {
        "table" => Ok(ReportFormat::Table),
        "json" => Ok(ReportFormat::Json),
        _ => Err("write table or json"),
    }
}

/// Whether `name` is `pattern`, whose `*` stand for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.into_iter().any(|at| matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Params {
        let (params, refused) = Params::parse(text);
        assert_eq!(refused, [], "{text}");
        params
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(parse(""), Params::default());
        assert_eq!(parse(" , "), Params::default());
    }

    #[test]
    fn all_that_is_said_holds() {
        let params = parse("interval=250, report=interval,enabled=false,filter=\"front,*\"");
        let filter = Some("front,*".to_owned());
        assert_eq!((params.interval, params.report), (250, ReportAt::Interval));
        assert_eq!((params.enabled, params.filter), (false, filter));
    }

    #[test]
    fn the_notation_of_structures_is_understood() {
        let params = parse("interval=(uint)250,report=(string)\"none\",enabled=(boolean)TRUE");
        assert_eq!((params.interval, params.report), (250, ReportAt::None));
    }

    #[test]
    fn what_cannot_be_taken_is_named_and_the_rest_holds() {
        let text = "colour=red,interval=-5,nonsense,report=often,enabled=perhaps,filter=a*";
        let (params, refused) = Params::parse(text);
        let named: Vec<String> = refused.iter().map(ToString::to_string).collect();
        for part in [
            "colour=red",
            "interval=-5",
            "nonsense",
            "report=often",
            "enabled=perhaps",
        ] {
            let quoted = format!("\"{part}\"");
            assert!(
                named.iter().any(|text| text.starts_with(&quoted)),
                "{part} in {named:?}"
            );
        }
        let filter = Some("a*".to_owned());
        assert_eq!(
            params,
            Params {
                filter,
                ..Params::default()
            }
        );
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        assert!(
            matches("pipeline*", "pipeline0") && matches("*", "") && matches("a*b*c", "aXbYbc")
        );
        assert!(
            !matches("pipeline*", "mypipeline0") && !matches("a*b", "abc") && !matches("", "a")
        );
        assert!(matches("kamera-ü*", "kamera-üöä"));
    }
}
