//! Losing against others is nobody's error: what could be carried out is, a moment later.

use crate::races::{PROCESSES, Race, TASKS, runtime};
use crate::stage::Stage;
use crate::world::{id, vcoin};
use std::sync::Arc;
use viral_commands::use_cases::{FundCampaign, JoinMission, OpenMission};
use viral_commands::{AppendError, Environment, Guard, NewEvent, Part, Unit};
use viral_domain::Terms;
use viral_domain::user::Role;
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

/// Parts of one unit follow each other on a stream, while a guard sees the stream as it was before the unit.
#[tokio::test]
async fn parts_of_one_unit_follow_each_other_on_a_stream() {
    let writer = Stage::new().await.world.commands.writer().clone();
    let event = NewEvent::new("test.happened", "1", &serde_json::json!({"type": "test.happened"})).unwrap();
    let stream = StreamId::new("test", "1");
    let part = |expected| Part::Events {
        stream: stream.clone(),
        expected,
        events: vec![event.clone(); 2],
    };
    let unit = |id, expected: [u64; 2], sequence| Unit {
        guards: vec![Guard {
            stream: stream.clone(),
            sequence,
        }],
        ..Unit::new(uuid::Uuid::from_u128(id), expected.map(part).into())
    };
    for (expected, guard, conflict) in [([0, 0], 0, (0, 2)), ([0, 4], 0, (4, 2)), ([0, 2], 2, (2, 0))] {
        match writer.append(unit(1, expected, guard)).await {
            Err(AppendError::Conflict { expected, actual, .. }) => assert_eq!((expected, actual), conflict),
            other => panic!("{other:?}"),
        }
    }
    let outcome = writer.append(unit(1, [0, 2], 0)).await.unwrap();
    let sequences: Vec<u64> = outcome.events().iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
    writer.append(unit(2, [4, 6], 4)).await.unwrap();
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
                    let (case, request) = (FundCampaign { campaign, amount }, world.request());
                    world.commands.run(&race.stage.sponsor, &request, &case).await.unwrap();
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

/// Everybody who joins also guards their own user, and the same campaign moves with each of them.
#[test]
fn sixty_four_creators_join_one_mission_through_two_processes() {
    let places = u32::try_from(TASKS).unwrap();
    let replay = runtime().block_on(async {
        let stage = Stage::new().await;
        let other = stage.world.another(Terms::default(), Environment::Development).await;
        let (campaign, mission) = stage.published("1", places, "1000").await;
        stage.world.must(&stage.sponsor, &OpenMission { mission }).await;
        let mut tasks = Vec::new();
        for number in 0..TASKS {
            let creator = stage.world.user(Role::Creator).await;
            let world = [&stage.world, &other][number % PROCESSES].clone();
            tasks.push(async move {
                let (case, request) = (JoinMission { mission }, world.request());
                world.commands.run(&creator, &request, &case).await.map(|_| ())
            });
        }
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let replay = other.audit().await;
        replay.campaign(campaign).clone()
    });
    assert_eq!(replay.places.len(), TASKS);
}
