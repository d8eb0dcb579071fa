//! House rules that a compiler cannot check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MAX_FILE: usize = 400;
const MAX_FUNCTION: usize = 60;
/// Folders of `plugins/` that are not an element.
const COMMON: [&str; 2] = ["core", "runtime"];
/// What every element may use of the core besides its own topic.
const COMMON_CORE: [&str; 2] = ["time", "units"];
/// Element and its topic in the core.
const TOPICS: [(&str, &str); 5] = [
    ("adaptivebitrate", "bitrate"),
    ("bufferrecycler", "recycle"),
    ("gpuinfer", "infer"),
    ("latencytracer", "latency"),
    ("qualityswitch", "quality"),
];

#[test]
fn files_stay_short() {
    for (path, text) in sources("") {
        let lines = text.lines().count();
        assert!(lines <= MAX_FILE, "{}: {lines} lines", path.display());
    }
}

#[test]
fn functions_stay_short() {
    for (path, text) in sources("") {
        for (name, length) in functions(&text) {
            let place = path.display();
            assert!(length <= MAX_FUNCTION, "{place}: {name} has {length} lines");
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources("") {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! "), "{}: no //! line", path.display());
    }
}

#[test]
fn every_folder_is_an_element_of_the_table() {
    let registered: BTreeSet<String> = gstlivetune::ELEMENTS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let with_topic: BTreeSet<String> = TOPICS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(element_folders(), registered);
    assert_eq!(registered, with_topic);
}

#[test]
fn the_core_knows_no_gstreamer() {
    for (path, text) in sources("plugins/core") {
        for foreign in ["gst::", "glib::", "gst_base::", "gst_video::"] {
            assert!(!text.contains(foreign), "{} uses {foreign}", path.display());
        }
    }
}

#[test]
fn topics_of_the_core_do_not_know_each_other() {
    for (_, own) in TOPICS {
        for (path, text) in sources(&format!("plugins/core/{own}")) {
            for (_, other) in TOPICS.iter().filter(|(_, topic)| *topic != own) {
                let import = format!("crate::{other}");
                assert!(!text.contains(&import), "{} uses {import}", path.display());
            }
        }
    }
}

#[test]
fn the_runtime_knows_no_element() {
    for (path, text) in sources("plugins/runtime") {
        for (element, topic) in TOPICS {
            for import in [
                format!("crate::{element}"),
                format!("livetune_core::{topic}"),
            ] {
                assert!(!text.contains(&import), "{} uses {import}", path.display());
            }
        }
    }
}

#[test]
fn elements_do_not_import_each_other() {
    for (own, _) in TOPICS {
        for (path, text) in sources(&format!("plugins/{own}")) {
            for (other, _) in TOPICS.iter().filter(|(element, _)| *element != own) {
                let import = format!("crate::{other}");
                assert!(!text.contains(&import), "{} uses {import}", path.display());
            }
        }
    }
}

#[test]
fn an_element_uses_its_own_topic_of_the_core() {
    for (element, topic) in TOPICS {
        for (path, text) in sources(&format!("plugins/{element}")) {
            for used in text.split("livetune_core::").skip(1) {
                let module: String = used.chars().take_while(char::is_ascii_lowercase).collect();
                let allowed = module == topic || COMMON_CORE.contains(&module.as_str());
                assert!(allowed, "{} uses livetune_core::{module}", path.display());
            }
        }
    }
}

/// Names and lengths of the functions in `text`, which rustfmt has laid out.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else {
            continue;
        };
        let words = ["", "pub", "const", "unsafe", "extern", "\"C\"", "async"];
        let is_item = before
            .split_whitespace()
            .all(|word| words.contains(&word) || word.starts_with("pub("));
        if !is_item {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let opening = lines[at..]
            .iter()
            .find(|line| line.ends_with(['{', '}', ';']));
        let has_body = opening.is_some_and(|line| line.ends_with('{'));
        let length = lines[at..].iter().position(|line| *line == end);
        let length = length.filter(|_| has_body);
        let name = after
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_');
        found.push((name.collect(), length.map_or(1, |n| n + 1)));
    }
    found
}

fn element_folders() -> BTreeSet<String> {
    fs::read_dir(Path::new(ROOT).join("plugins"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !COMMON.contains(&name.as_str()))
        .collect()
}

/// The Rust files below `folder` of the project, with their text.
pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(ROOT).unwrap().to_owned();
                found.push((relative, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
