//! Losing against others is nobody's error: what could be carried out is, a moment later.

use crate::races::{PROCESSES, Race, TASKS, runtime};
use crate::stage::Stage;
use crate::world::{id, vcoin};
use std::sync::Arc;
use viral_commands::use_cases::FundCampaign;
use viral_commands::{AppendError, NewEvent, Part, Unit};
use viral_ledger::Command;
use viral_store::StreamId;

/// A plan that was made from an older state is a conflict, whatever the ledger would say to it: it is planned anew.
#[tokio::test]
async fn a_stale_plan_is_a_conflict_before_the_ledger_is_asked() {
    let stage = Stage::new().await;
    let event = NewEvent::new("test.happened", "1", &serde_json::json!({"type": "test.happened"})).unwrap();
    let events = |stream, expected| Part::Events {
        stream,
        expected,
        events: vec![event.clone()],
    };
    let stale = StreamId::new("user", id(&stage.first).to_string());
    let refused = Part::Ledger {
        id: None,
        command: Command::ExpireHold {
            hold: uuid::Uuid::from_u128(99),
        },
    };
    let fresh = events(StreamId::new("test", "1"), 0);
    let parts = vec![fresh, refused, events(stale.clone(), 0)];
    let unit = Unit::new(uuid::Uuid::from_u128(1), parts);
    let error = stage.world.commands.writer().append(unit).await.unwrap_err();
    let conflict = AppendError::Conflict {
        stream: stale,
        expected: 0,
        actual: 1,
    };
    assert_eq!(error, conflict);
}

/// Calls that could all be carried out are, though each of them moves the same campaign: in one process they take turns,
/// and who loses against another process plans anew.
#[test]
fn ordinary_contention_is_nobodys_error() {
    let runtime = runtime();
    for _ in 0..5 {
        runtime.block_on(async {
            let race = Arc::new(Race::new().await);
            let fund = |number: usize, race: Arc<Race>| async move {
                for round in 0..10 {
                    let (campaign, amount) = (race.campaign, vcoin("1"));
                    let world = &race.worlds[(number + round) % PROCESSES];
                    world
                        .must(&race.stage.sponsor, &FundCampaign { campaign, amount })
                        .await;
                }
            };
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| tokio::spawn(fund(number, race.clone())))
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let replay = race.worlds[0].audit().await;
            assert_eq!(replay.campaign(race.campaign).funded, vcoin("1140"));
        });
    }
}
