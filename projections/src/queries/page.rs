//! Pages of lists. A page ends with the key of its last row, and the next one begins after it: rows that come and go
//! meanwhile make no gaps and no doubles.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, K> {
    /// Its entries.
    pub items: Vec<T>,
    /// After which key the next page begins, if there is one.
    pub next: Option<K>,
}

/// The key in lists that are ordered by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TimeKey {
    /// The time.
    pub at: DateTime<Utc>,
    /// Tells entries of the same time apart.
    pub id: Uuid,
}

impl<T, K> Page<T, K> {
    /// A page from rows that were asked for with [`one_more`].
    pub(super) fn cut(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Page<T, K> {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(key);
        Page { items, next }
    }
}

/// How many rows show whether there is a next page.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_row_too_many_makes_a_next_page() {
        let cut = |rows: &[u8]| Page::cut(rows.to_vec(), 2, |row| *row);
        assert_eq!(
            cut(&[1, 2, 3]),
            Page {
                items: vec![1, 2],
                next: Some(2)
            }
        );
        assert_eq!(
            cut(&[1, 2]),
            Page {
                items: vec![1, 2],
                next: None
            }
        );
        assert_eq!(
            cut(&[]),
            Page {
                items: vec![],
                next: None
            }
        );
        assert_eq!(one_more(2), 3);
        assert_eq!(one_more(usize::MAX), i64::MAX);
    }
}
