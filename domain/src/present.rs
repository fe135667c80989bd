//! The present, as decisions see it. A decision can only ask whether a time has come; what it was told tells from when
//! until when it would be told the same, and so until when the decision holds. Nobody can forget to say which deadlines a
//! decision looked at: there is no other way to look.

use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use viral_ledger::timestamp;

/// From when until when a decision would be the same. The default has no ends: it does not depend on the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first moment, if there is one.
    pub from: Option<DateTime<Utc>>,
    /// The first moment that is too late, if there is one.
    pub until: Option<DateTime<Utc>>,
}

impl Window {
    /// Whether a time is in it.
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// The present. Clones of it narrow one window together: that of everything that was decided by them.
#[derive(Clone)]
pub struct Present {
    time: DateTime<Utc>,
    window: Arc<Mutex<Window>>,
}

impl Present {
    /// The present is this time.
    pub fn at(time: DateTime<Utc>) -> Present {
        Present {
            time,
            window: Arc::default(),
        }
    }

    /// Whether a time has come.
    pub fn has_reached(&self, time: DateTime<Utc>) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = time <= self.time;
        if reached {
            window.from = window.from.max(Some(time));
        } else {
            window.until = Some(window.until.map_or(time, |until| until.min(time)));
        }
        reached
    }

    /// From when until when everything that was asked so far would be answered in the same way.
    pub fn window(&self) -> Window {
        *self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<DateTime<Utc>> for Present {
    fn from(time: DateTime<Utc>) -> Present {
        Present::at(time)
    }
}

impl PartialEq for Present {
    fn eq(&self, other: &Present) -> bool {
        self.time == other.time
    }
}

impl fmt::Display for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&timestamp::to_text(&self.time))
    }
}

impl fmt::Debug for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: u32) -> DateTime<Utc> {
        format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap()
    }

    #[test]
    fn the_window_ends_at_the_nearest_times_that_were_asked_for() {
        let now = Present::at(hour(12));
        assert_eq!(now.window(), Window::default());
        let other = now.clone();
        assert!(now.has_reached(hour(3)) && other.has_reached(hour(12)) && now.has_reached(hour(7)));
        assert!(!now.has_reached(hour(20)) && !other.has_reached(hour(15)) && !now.has_reached(hour(23)));
        let (from, until) = (Some(hour(12)), Some(hour(15)));
        assert_eq!(now.window(), Window { from, until });
    }

    #[test]
    fn everywhere_in_the_window_the_answers_are_the_same_and_nowhere_else() {
        let asked = [5, 9, 13, 17].map(hour);
        let answers = |time| {
            let now = Present::at(hour(time));
            (asked.map(|time| now.has_reached(time)), now.window())
        };
        for time in 0..24 {
            let (told, window) = answers(time);
            for other in 0..24 {
                assert_eq!(
                    window.contains(hour(other)),
                    answers(other).0 == told,
                    "{other} for {time}"
                );
            }
        }
        assert!(Window::default().contains(hour(1)));
    }
}
