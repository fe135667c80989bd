//! Whether the clocks agree: this machine's, the one of the log's server, and the times in the log.

use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use viral_store::{EventStore, Head};

/// How far this machine's clock may be off.
const OFF: TimeDelta = TimeDelta::seconds(5);
/// How far the last event may be ahead of its server's clock.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// By how much the clock of the log's server is ahead of this machine's, asked now; none where the log has no clock.
pub(crate) async fn offset(store: &dyn EventStore) -> Result<Option<TimeDelta>, Error> {
    let before = Utc::now();
    let server = store.clock().await?;
    let after = Utc::now();
    // It was read somewhere between: the middle is off by half of the way at most.
    Ok(server.map(|server| server - (before + (after - before) / 2)))
}

/// What is wrong with the clocks.
pub(super) fn problems(offset: Option<TimeDelta>, now: DateTime<Utc>, head: &Head) -> Vec<String> {
    let Some(offset) = offset else { return Vec::new() };
    let mut problems = Vec::new();
    if offset.abs() > OFF {
        let (seconds, direction) = match offset > TimeDelta::zero() {
            true => (offset.num_seconds(), "behind"),
            false => (-offset.num_seconds(), "ahead of"),
        };
        problems.push(format!(
            "the clock of this machine is {seconds} s {direction} that of the log's server. Events are stamped by the \
             server's; set the wrong one right"
        ));
    }
    let ahead = head.recorded_at - (now + offset);
    if ahead > AHEAD {
        problems.push(format!(
            "the last event was recorded at {}, {} s ahead of the clock of the log's server: new events are stamped with that \
             time until the clock has caught up, and holds that end before it have expired",
            viral_store::event::time_text(&head.recorded_at),
            ahead.num_seconds()
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use viral_store::{Digest, Position};

    #[test]
    fn clocks_that_are_off_are_told_with_the_direction() {
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        let head = |ahead: i64| Head {
            position: Position(1),
            recorded_at: now + TimeDelta::seconds(ahead),
            digest: Digest::EMPTY,
        };
        let found = |offset, ahead| problems(Some(TimeDelta::seconds(offset)), now, &head(ahead));
        assert_eq!(found(5, 0), [""; 0]);
        assert_eq!(found(-5, 50), [""; 0]);
        assert!(found(6, 0)[0].contains("6 s behind"));
        assert!(found(-86_400, -86_400)[0].contains("86400 s ahead of"));
        assert!(found(0, 61)[0].contains("61 s ahead of the clock of the log's server"));
        assert_eq!(problems(None, now, &head(1_000)), [""; 0]);
    }
}
