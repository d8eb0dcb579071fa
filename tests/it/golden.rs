//! Files that a test keeps equal to the code. `UPDATE_GOLDEN=1 cargo test --test it golden` writes them anew.

pub mod surface;

use std::fs;
use std::path::Path;

use crate::tidy::sources;

#[test]
fn the_public_surface_changes_only_on_purpose() {
    crate::support::init();
    compare("tests/golden/surface.txt", &surface::describe());
}

#[test]
fn the_code_map_of_the_architecture_is_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(file).unwrap();
    let (begin, end) = ("<!-- code map -->\n", "<!-- end of the code map -->");
    let (head, rest) = text.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(end).unwrap();
    compare(
        "ARCHITECTURE.md",
        &format!("{head}{begin}{}{end}{tail}", code_map()),
    );
}

/// Every Rust file with the first sentence of its documentation, by folder.
fn code_map() -> String {
    let mut map = String::new();
    let mut folder = String::new();
    for (path, text) in sources("") {
        let parent = path.parent().unwrap().display().to_string();
        if parent != folder {
            map.push_str(&format!(
                "\n**{}/**\n\n",
                if parent.is_empty() { "." } else { &parent }
            ));
            folder = parent;
        }
        let file = path.file_name().unwrap().to_string_lossy();
        map.push_str(&format!("- `{file}`: {}\n", first_sentence(&text)));
    }
    map.push('\n');
    map
}

fn first_sentence(text: &str) -> String {
    let docs = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let paragraph = docs.collect::<Vec<_>>().join(" ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
    paragraph[..end].to_owned()
}

/// Fails where the file at `path` is not `now`; writes it where UPDATE_GOLDEN is set.
fn compare(path: &str, now: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, now).unwrap();
        return;
    }
    let before = fs::read_to_string(&file).unwrap_or_default();
    let differs = before.lines().zip(now.lines()).find(|(a, b)| a != b);
    assert!(
        before == now,
        "{path} is out of date, first difference {differs:?}: UPDATE_GOLDEN=1 cargo test --test it golden"
    );
}
