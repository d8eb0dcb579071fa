//! Names of classes.

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
        let mut lines: Vec<&str> = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::trim)
            .collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        let name = |class: usize| match lines.get(class) {
            Some(line) if !line.is_empty() => (*line).to_owned(),
            _ => format!("class {class}"),
        };
        Self {
            names: (0..classes).map(name).collect(),
            missing: classes.saturating_sub(lines.len()),
        }
    }

    /// `class N` for each of `classes` classes.
    pub fn numbered(classes: usize) -> Self {
        Self {
            missing: 0,
            ..Self::parse("", classes)
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
}
