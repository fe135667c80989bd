//! A unit is recorded within the time that it was decided for, by the log's clock, or it is decided again.

use crate::stage::{Stage, submission};
use crate::world::{NOT_FOUND, code_of, id};
use chrono::Duration;
use viral_commands::use_cases::*;
use viral_commands::{AppendError, NewEvent, Part, Unit, UseCase};
use viral_domain::{AssignmentId, Window};
use viral_store::StreamId;

/// A stage whose clock passes a deadline between plan and append.
async fn refused_when_late(stage: &Stage, who: &viral_commands::Caller, case: &impl UseCase, days: i64, code: &str) {
    let (world, head) = (&stage.world, stage.world.head().await);
    let passing = world.clone();
    world
        .spy
        .before_lock(1, async move { passing.wait(Duration::days(days)) });
    let error = world.commands.run(who, &world.request(), case).await.expect_err(code);
    assert!(world.spy.is_done(), "it was refused before it came to the log");
    assert_eq!(code_of(&error), code, "{error}");
    assert_eq!(world.head().await, head);
    world.wait(-Duration::days(days));
}

#[tokio::test]
async fn a_deadline_that_passes_on_the_way_counts() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 3, "1000").await;
    let draft = stage.draft("100").await;
    let fresh = stage.mission(draft, "10", 1).await;
    let (sponsor, creator) = (&stage.sponsor, &stage.first);
    stage.invite(mission, &[creator]).await;
    let assignment = AssignmentId::of(mission, id(creator));
    let accept = AcceptAssignment { assignment };
    refused_when_late(&stage, creator, &accept, 30, "deadline_passed").await;
    stage.world.must(creator, &accept).await;
    refused_when_late(&stage, creator, &submission(mission), 30, "deadline_passed").await;
    refused_when_late(&stage, sponsor, &OpenMission { mission: fresh }, 30, "deadline_passed").await;
    stage.world.must(sponsor, &OpenMission { mission }).await;
    let join = JoinMission { mission };
    refused_when_late(&stage, &stage.second, &join, 30, "deadline_passed").await;
    let publish = PublishCampaign { campaign: draft };
    refused_when_late(&stage, sponsor, &publish, 90, "campaign_ended").await;
    let added = stage.new_mission(campaign, "10", 1);
    refused_when_late(&stage, sponsor, &added, 30, "invalid_mission").await;
    let brief = stage.brief("10");
    refused_when_late(&stage, sponsor, &CreateCampaign { brief }, 90, "invalid_campaign").await;
    // The day before, everything is as it was planned.
    let (world, passing) = (&stage.world, stage.world.clone());
    world
        .spy
        .before_lock(1, async move { passing.wait(Duration::days(29)) });
    world
        .commands
        .run(&stage.second, &world.request(), &join)
        .await
        .unwrap();
    assert!(world.spy.is_done());
}

#[tokio::test]
async fn a_clock_that_is_ahead_ends_nothing() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published("100", 1, "1000").await;
    let assignment = stage.accepted(mission, &stage.first).await;
    let (expire, worker) = (ExpireAssignment { assignment }, &stage.admin);
    let ahead = stage.world.off_by(Duration::days(31));
    ahead.refused(worker, &expire, "deadline_not_passed").await;
    stage.world.wait(Duration::days(30));
    ahead.must(worker, &expire).await;
}

#[tokio::test]
async fn a_clock_that_is_behind_begins_nothing() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published("100", 1, "1000").await;
    stage.world.must(&stage.sponsor, &OpenMission { mission }).await;
    let (join, behind) = (JoinMission { mission }, stage.world.off_by(-Duration::days(1)));
    stage.world.wait(Duration::days(30));
    behind.refused(&stage.first, &join, "deadline_passed").await;
    stage.world.refused(&stage.first, &join, "deadline_passed").await;
    let unknown = JoinMission {
        mission: viral_domain::MissionId(uuid::Uuid::from_u128(1)),
    };
    behind.refused(&stage.first, &unknown, NOT_FOUND).await;
}

#[tokio::test]
async fn a_unit_outside_of_its_window_is_not_written() {
    let stage = Stage::new().await;
    let (world, now) = (&stage.world, stage.world.now());
    let unit = |number, from: i64, until: i64| Unit {
        window: Window {
            from: Some(now + Duration::seconds(from)),
            until: Some(now + Duration::seconds(until)),
        },
        ..Unit::new(
            uuid::Uuid::from_u128(number),
            vec![Part::Events {
                stream: StreamId::new("test", number.to_string()),
                expected: 0,
                events: vec![
                    NewEvent::new("test.happened", "1", &serde_json::json!({"type": "test.happened"})).unwrap(),
                ],
            }],
        )
    };
    let writer = world.commands.writer();
    for (from, until) in [(1, 2), (-2, -1), (-1, 0)] {
        let refused = writer.append(unit(1, from, until)).await;
        assert_eq!(refused, Err(AppendError::Outdated { now }));
    }
    let head = world.head().await;
    writer.append(unit(1, 0, 1)).await.unwrap();
    assert_eq!(world.head().await, head.next());
    // Once it is written, the time does not matter any more.
    world.wait(Duration::days(1));
    assert!(writer.append(unit(1, 0, 1)).await.unwrap().is_duplicate());
}
