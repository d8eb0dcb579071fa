//! Names of classes.

use super::thresholds::ClassFilter;

/// What model zoos call the class for nothing, where they list it among the others.
const NOTHING: [&str; 4] = ["background", "__background__", "unlabeled", "???"];

/// A name for every class of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
    missing: usize,
}

impl Labels {
    /// The lines of `text` as the names of `classes` classes; `class N` for those that it does not name. Empty lines
    /// at the end do not count, lines beyond the last class neither.
    pub fn parse(text: &str, classes: usize) -> Self {
        Self::of(lines(text), classes)
    }

    /// The same, of a text whose first line may be the class for nothing, which is none.
    pub fn parse_behind_background(text: &str, classes: usize) -> Self {
        let mut lines = lines(text);
        let is_nothing = |line: &&str| NOTHING.iter().any(|name| name.eq_ignore_ascii_case(line));
        if lines.first().is_some_and(is_nothing) {
            lines.remove(0);
        }
        Self::of(lines, classes)
    }

    /// How many names `text` has.
    pub fn count(text: &str) -> usize {
        lines(text).len()
    }

    /// `class N` for each of `classes` classes.
    pub fn numbered(classes: usize) -> Self {
        Self {
            missing: 0,
            ..Self::parse("", classes)
        }
    }

    fn of(lines: Vec<&str>, classes: usize) -> Self {
        let name = |class: usize| match lines.get(class) {
            Some(line) if !line.is_empty() => (*line).to_owned(),
            _ => format!("class {class}"),
        };
        Self {
            names: (0..classes).map(name).collect(),
            missing: classes.saturating_sub(lines.len()),
        }
    }

    /// How many classes the text had no line for.
    pub const fn missing(&self) -> usize {
        self.missing
    }

    /// The name of a class of the model; an empty one where it has no such class.
    pub fn name(&self, class: usize) -> &str {
        self.names.get(class).map_or("", String::as_str)
    }

    /// The classes that `list` names or numbers, with commas between them; all where it is empty. The error is the one
    /// that there is not.
    pub fn select(&self, list: &str) -> Result<ClassFilter, String> {
        let entries = list.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let number = |entry: &str| {
            let is_it = |name: &String| name.eq_ignore_ascii_case(entry);
            let by_name = self.names.iter().position(is_it);
            let by_number = || entry.parse().ok().filter(|class| *class < self.names.len());
            by_name.or_else(by_number).ok_or_else(|| entry.to_owned())
        };
        let numbers: Vec<usize> = entries.map(number).collect::<Result<_, _>>()?;
        Ok(if numbers.is_empty() {
            ClassFilter::all()
        } else {
            ClassFilter::only(&numbers)
        })
    }
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name() {
        let labels = Labels::parse("\u{feff}person\r\nbicycle\r\n\r\n", 2);
        assert_eq!((labels.name(0), labels.name(1)), ("person", "bicycle"));
        assert_eq!(labels.missing(), 0);
    }

    #[test]
    fn what_the_text_leaves_out_gets_a_number() {
        let labels = Labels::parse("ball\n\nsquare", 5);
        assert_eq!((labels.name(1), labels.name(2)), ("class 1", "square"));
        assert_eq!((labels.name(3), labels.name(4)), ("class 3", "class 4"));
        assert_eq!(labels.missing(), 2);
        assert_eq!(labels.name(5), "");
    }

    #[test]
    fn without_a_text_nothing_is_missing() {
        let labels = Labels::numbered(2);
        assert_eq!((labels.name(1), labels.missing()), ("class 1", 0));
    }

    #[test]
    fn the_name_of_nothing_is_left_out_where_nothing_is_no_class() {
        for text in ["BACKGROUND\nface", "face"] {
            let labels = Labels::parse_behind_background(text, 1);
            assert_eq!((labels.name(0), labels.missing()), ("face", 0), "{text}");
        }
        assert_eq!(Labels::parse("background\nface", 2).name(0), "background");
    }

    #[test]
    fn classes_are_selected_by_name_and_by_number() {
        let labels = Labels::parse("person\nbicycle\ntraffic light\ncar", 5);
        let all = [
            ("", vec![0, 1, 2, 3, 4]),
            ("Traffic Light, 4", vec![2, 4]),
            ("car,", vec![3]),
        ];
        for (list, expected) in all {
            let filter = labels.select(list).expect("all there");
            let allowed: Vec<usize> = (0..5).filter(|class| filter.allows(*class)).collect();
            assert_eq!(allowed, expected, "{list}");
        }
        assert_eq!(labels.select("car,lorry"), Err("lorry".to_owned()));
        assert_eq!(labels.select("5"), Err("5".to_owned()));
    }
}
