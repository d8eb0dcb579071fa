//! Where reports go: standard error or a file, and the log of histograms.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::hlog::Log;
use super::model::Snapshot;
use super::{Occasion, json, table};
use crate::latencytracer::ReportFormat;

/// Where to write what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    pub(crate) format: ReportFormat,
    /// `None`: to standard error.
    pub(crate) report: Option<PathBuf>,
    /// `None`: no log of histograms.
    pub(crate) log: Option<PathBuf>,
}

/// Writes reports. Files are made anew when the first report comes.
pub(super) struct Writer {
    format: ReportFormat,
    report: Target,
    log: Option<(Log, Target)>,
}

impl Writer {
    pub(super) fn new(targets: Targets) -> Self {
        let log = |path| (Log::new(), Target::new("log-location", Some(path)));
        Self {
            format: targets.format,
            report: Target::new("report-location", targets.report),
            log: targets.log.map(log),
        }
    }

    /// Writes a report; says so where it cannot.
    pub(super) fn report(
        &mut self,
        snapshot: &Snapshot,
        occasion: &Occasion,
    ) -> Result<(), Trouble> {
        let text = match self.format {
            ReportFormat::Table => table::tables(snapshot, occasion),
            ReportFormat::Json => json::lines(snapshot, occasion),
        };
        self.report.write(text.as_bytes())
    }

    /// Writes the histograms, where there is a log; says so where it cannot.
    pub(super) fn log(&mut self, snapshot: &Snapshot, occasion: &Occasion) -> Result<(), Trouble> {
        let Some((log, target)) = &mut self.log else {
            return Ok(());
        };
        match log.lines(snapshot, occasion, target.is_empty()) {
            Ok(lines) => target.write(&lines),
            Err(error) => Err(target.trouble(&error)),
        }
    }
}

/// Something could not be written.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What to tell the user, once for each file.
    pub(super) news: Option<String>,
}

/// One file, or standard error.
struct Target {
    property: &'static str,
    path: Option<PathBuf>,
    file: Option<File>,
    /// Bytes that were written whole.
    length: u64,
    told: bool,
}

impl Target {
    fn new(property: &'static str, path: Option<PathBuf>) -> Self {
        Self {
            property,
            path,
            file: None,
            length: 0,
            told: false,
        }
    }

    const fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Trouble> {
        match self.try_to_write(text) {
            Ok(()) => {
                self.length += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.cut_back();
                Err(self.trouble(&error.to_string()))
            }
        }
    }

    fn try_to_write(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(path) = &self.path else {
            return io::stderr().write_all(text);
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(path)?),
        };
        file.write_all(text)
    }

    /// Takes back what was written in part: a later report begins on a line of its own.
    fn cut_back(&mut self) {
        if let Some(file) = &mut self.file {
            // What is no regular file cannot be shortened, and is left as it is.
            let _ = file.set_len(self.length);
            let _ = file.seek(SeekFrom::Start(self.length));
        }
    }

    fn trouble(&mut self, error: &str) -> Trouble {
        let first = !std::mem::replace(&mut self.told, true);
        let place = self
            .path
            .as_ref()
            .map_or("standard error".to_owned(), |path| {
                path.display().to_string()
            });
        let property = self.property;
        let text = || {
            format!(
                "Cannot write to {place}: {error}. Measuring goes on; set {property} to a file that can be written"
            )
        };
        Trouble {
            news: first.then(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{occasion, snapshot};
    use super::*;
    use std::fs;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("livetune-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        folder
    }

    fn writer(format: ReportFormat, report: PathBuf, log: PathBuf) -> Writer {
        Writer::new(Targets {
            format,
            report: Some(report),
            log: Some(log),
        })
    }

    #[test]
    fn reports_and_logs_lie_one_behind_the_other() {
        let folder = folder("writer");
        let (report, log) = (folder.join("report.json"), folder.join("run.hlog"));
        fs::write(&report, "of the run before").expect("written");
        let mut writer = writer(ReportFormat::Json, report.clone(), log.clone());
        for _ in 0..2 {
            writer.report(&snapshot(), &occasion()).expect("written");
            writer.log(&snapshot(), &occasion()).expect("written");
        }
        let report = fs::read_to_string(report).expect("a report");
        assert_eq!(report.lines().count(), 8);
        assert!(report.lines().all(|line| line.starts_with('{')), "{report}");
        let log = fs::read_to_string(log).expect("a log");
        assert_eq!(log.matches("StartTime").count(), 1);
        assert_eq!(log.matches("Tag=").count(), 14);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_of_once_and_tried_again() {
        let folder = folder("unwritable");
        let late = folder.join("late");
        let path = late.join("report.txt");
        let log = folder.join("log.hlog");
        let mut writer = writer(ReportFormat::Table, path.clone(), log);
        let trouble = writer
            .report(&snapshot(), &occasion())
            .expect_err("no folder");
        let news = trouble.news.expect("it is the first time");
        assert!(
            news.contains("report.txt") && news.contains("report-location"),
            "{news}"
        );
        let again = writer
            .report(&snapshot(), &occasion())
            .expect_err("no folder");
        assert_eq!(again.news, None);
        fs::create_dir(&late).expect("a folder");
        writer.report(&snapshot(), &occasion()).expect("written");
        let text = fs::read_to_string(path).expect("a report");
        assert!(text.starts_with("camera: "), "{text}");
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_full_disk_is_told_of_once_and_the_log_keeps_its_head() {
        let full = PathBuf::from("/dev/full");
        let mut writer = writer(ReportFormat::Json, full.clone(), full);
        for round in 0..3 {
            let trouble = writer.log(&snapshot(), &occasion()).expect_err("full");
            assert_eq!(trouble.news.is_some(), round == 0);
        }
        let (log, target) = writer.log.as_mut().expect("it has one");
        let lines = log.lines(&snapshot(), &occasion(), target.is_empty());
        let lines = String::from_utf8(lines.expect("lines")).expect("text");
        assert!(lines.contains("#[StartTime"), "{lines}");
    }
}
