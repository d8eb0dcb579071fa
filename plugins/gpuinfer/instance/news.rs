//! What an instance has to say while it runs, for all who share it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::runtime::lock::lock;

/// Sentences that are remembered: what a network can be in trouble with is less.
const MOST: usize = 64;

/// Each sentence once.
#[derive(Debug, Default)]
pub(super) struct News {
    texts: Mutex<Vec<String>>,
    count: AtomicUsize,
}

impl News {
    pub(super) fn tell(&self, text: String) {
        let mut texts = lock(&self.texts);
        if texts.len() < MOST && !texts.contains(&text) {
            texts.push(text);
            self.count.store(texts.len(), Ordering::Release);
        }
    }

    /// What was said after the first `heard` sentences. Next to nothing where that is nothing.
    pub(super) fn after(&self, heard: usize) -> Vec<String> {
        if self.count.load(Ordering::Acquire) <= heard {
            return Vec::new();
        }
        lock(&self.texts).get(heard..).unwrap_or_default().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_hears_everything_once() {
        let news = News::default();
        assert!(news.after(0).is_empty());
        for text in ["rain", "rain", "sun"] {
            news.tell(text.to_owned());
        }
        assert_eq!(news.after(0), ["rain", "sun"]);
        assert_eq!(news.after(1), ["sun"]);
        assert!(news.after(2).is_empty());
    }

    #[test]
    fn what_never_ends_is_cut() {
        let news = News::default();
        (0..1000).for_each(|number| news.tell(number.to_string()));
        assert_eq!(news.after(0).len(), MOST);
    }
}
