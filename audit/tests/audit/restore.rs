//! Restoring a log from a copy: the same events, whole units, and nothing where something else is already.

use crate::copies::{copy_of, lines};
use crate::history::History;
use crate::journey::Journey;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;
use viral_audit::restore::{RestoreError, check, restore};
use viral_audit::{Silent, verify};
use viral_store::{EventStore, MemoryStore, Position, SpoolWriter, StoredEvent};

async fn all(log: &Arc<dyn EventStore>) -> Vec<StoredEvent> {
    log.read_after(Position::START, usize::MAX).await.unwrap()
}

fn empty(id: u128) -> Arc<dyn EventStore> {
    Arc::new(MemoryStore::new(Uuid::from_u128(id)))
}

/// The id of the logs of [`History`].
const HISTORY: u128 = 1;

#[tokio::test]
async fn a_restored_log_is_the_same_log() {
    let store = History::of_everything().await.store;
    let lines_of_store = lines(&store).await;
    let copy = copy_of(&lines_of_store);
    let sound = check(&copy, false, &Silent).await.unwrap();
    let target = empty(HISTORY);
    let restored = restore(&copy, &sound, &target, &Silent).await.unwrap();
    assert_eq!((restored.events, restored.appended, restored.found), (20, 20, 0));
    assert_eq!(restored.log, store.source());
    assert_eq!(lines(&target).await, lines_of_store);
    let verification = verify(&target, &Silent).await.unwrap();
    assert!(verification.holds && verification.state_hash == restored.state_hash);
    let again = restore(&copy, &sound, &target, &Silent).await.unwrap();
    assert_eq!((again.appended, again.found), (0, 20));
}

/// What a killed restore leaves behind is any beginning of the log in whole units.
#[tokio::test]
async fn a_restore_goes_on_after_what_is_there() {
    let store = History::of_everything().await.store;
    let copy = copy_of(&lines(&store).await);
    let sound = check(&copy, false, &Silent).await.unwrap();
    for there in [1, 5, 8, 19] {
        let target = empty(HISTORY);
        target
            .lock()
            .await
            .unwrap()
            .append(&all(&store).await[..there])
            .await
            .unwrap();
        let restored = restore(&copy, &sound, &target, &Silent).await.unwrap();
        assert_eq!((restored.found, restored.appended), (there as u64, 20 - there as u64));
        assert_eq!(all(&target).await, all(&store).await);
    }
}

#[tokio::test]
async fn what_is_another_log_is_left_alone() {
    let store = History::of_everything().await.store;
    let copy = copy_of(&lines(&store).await);
    let sound = check(&copy, false, &Silent).await.unwrap();
    let other = empty(HISTORY + 1);
    let error = restore(&copy, &sound, &other, &Silent).await.unwrap_err();
    assert!(matches!(error, RestoreError::OtherLog { .. }), "{error}");

    let differs = empty(HISTORY);
    let mut events = all(&store).await;
    events[4].payload = events[4].payload.replace("50.00", "51.00");
    differs.lock().await.unwrap().append(&events[..8]).await.unwrap();
    let error = restore(&copy, &sound, &differs, &Silent).await.unwrap_err();
    assert!(matches!(error, RestoreError::Differs(Position(5))), "{error}");
    assert_eq!(all(&differs).await.len(), 8, "something was written");

    let short = copy_of(&lines(&store).await[..5]);
    let sound = check(&short, false, &Silent).await.unwrap();
    let error = restore(&short, &sound, &store, &Silent).await.unwrap_err();
    assert!(matches!(error, RestoreError::Longer { .. }), "{error}");
}

#[tokio::test]
async fn what_does_not_hold_is_not_restored() {
    let store = History::of_everything().await.store;
    let mut tampered = lines(&store).await;
    tampered[3] = tampered[3].replace("900.00", "901.00");
    let error = check(&copy_of(&tampered), true, &Silent).await.unwrap_err();
    assert!(
        matches!(&error, RestoreError::DoesNotHold(finding) if finding.position == Position(16)),
        "{error}"
    );

    let mut writer = SpoolWriter::new(None).unwrap();
    for line in &lines(&store).await[..5] {
        writer.push(line.trim_end()).unwrap();
    }
    let error = check(&writer.finish_damaged("line 6: nonsense").unwrap(), true, &Silent)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("line 6: nonsense"), "{error}");
}

/// The lines of a log that end in the middle of one, whose unit is then not complete either.
#[tokio::test]
async fn where_a_line_is_cut_its_unit_and_the_one_before_are_in_doubt() {
    let store = History::of_everything().await.store;
    let mut writer = SpoolWriter::new(None).unwrap();
    // Positions 6 to 8 are one unit.
    for line in &lines(&store).await[..7] {
        writer.push(line.trim_end()).unwrap();
    }
    let copy = writer.finish_cut("line 8: cut").unwrap();
    let error = check(&copy, false, &Silent).await.unwrap_err().to_string();
    assert!(
        error.contains("begins at position 6") && error.contains("6 to 8"),
        "{error}"
    );
    let sound = check(&copy, true, &Silent).await.unwrap();
    assert_eq!(sound.up_to, Position(5));
    let target = empty(HISTORY);
    let restored = restore(&copy, &sound, &target, &Silent).await.unwrap();
    assert_eq!(all(&target).await, all(&store).await[..5]);
    assert_eq!(verify(&target, &Silent).await.unwrap().state_hash, restored.state_hash);
    let left = copy_of(&lines(&store).await[..1]);
    assert_eq!(check(&left, true, &Silent).await.unwrap().dropped, None);
    let nothing = SpoolWriter::new(None).unwrap().finish_cut("line 1: cut").unwrap();
    let error = check(&nothing, true, &Silent).await.unwrap_err();
    assert!(matches!(error, RestoreError::NothingLeft), "{error}");
}

/// A copy that ends anywhere: at the end of a unit it holds; within one it is seen where the ledger owes something. The
/// events that may be missing without being seen are these, and no others: docs/ARCHITECTURE.md tells of them.
#[tokio::test]
async fn a_torn_unit_is_seen_where_money_is_missing() {
    let store = Journey::told().await.store;
    let (lines, events) = (lines(&store).await, all(&store).await);
    let unit = |event: &StoredEvent| event.parse_metadata().unwrap().unit_id;
    let (mut whole, mut seen, mut unseen) = (0, 0, BTreeSet::new());
    for count in 1..=lines.len() {
        let copy = copy_of(&lines[..count]);
        let checked = check(&copy, false, &Silent).await;
        let next = events.get(count).filter(|next| unit(next) == unit(&events[count - 1]));
        match (next, checked) {
            (None, checked) => {
                assert_eq!(checked.unwrap().up_to, Position(count as u64));
                whole += 1;
            }
            (Some(next), Ok(_)) => {
                unseen.insert(next.event_type.to_string());
            }
            (Some(_), Err(RestoreError::Incomplete { first, last, .. })) => {
                let begin = events
                    .iter()
                    .position(|event| unit(event) == unit(&events[count - 1]))
                    .unwrap();
                assert_eq!((first.0, last.0), (begin as u64 + 1, count as u64));
                if begin > 0 {
                    let dropped = check(&copy, true, &Silent).await.unwrap();
                    assert_eq!(dropped.up_to.0, begin as u64);
                }
                seen += 1;
            }
            (Some(_), Err(error)) => panic!("{count}: {error}"),
        }
    }
    println!("{whole} whole units, {seen} cuts seen, not seen before: {unseen:?}");
    assert!(whole > 30 && seen > 10);
    let expected = [
        "campaign.closing",
        "campaign.flag_cleared",
        "campaign.flagged",
        "campaign.payout_reserved",
        "campaign.payout_returned",
        "campaign.payout_settled",
        "campaign.place_freed",
        "campaign.place_taken",
        "campaign.reward_paid",
        "login.claimed",
        "payout.approved",
        "payout.failed",
        "user.payout_closed",
        "user.payout_opened",
    ];
    assert_eq!(unseen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
