//! What workers are told to do.

use super::stage::{Stage, at, id};
use std::collections::BTreeSet;
use uuid::Uuid;
use viral_commands::Caller;
use viral_commands::use_cases::*;
use viral_domain::fraud_flag::SourceType;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, FlagId};
use viral_projections::queries::{At, Due};
use viral_store::EventStore as _;

fn ids(answer: &At<Vec<Due>>) -> BTreeSet<Uuid> {
    answer.value.iter().map(|due| due.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_are_overdue_when_the_deadline_passes_without_work() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let mission = async |deadline| stage.mission(&sponsor, campaign, "10", 1, deadline).await;
    let same = "2026-02-02T00:00:00Z";
    let invited = stage
        .invite(&sponsor, mission("2026-02-01T00:00:00Z").await, &creator)
        .await
        .0;
    let accepted = stage.accept(&sponsor, mission(same).await, &creator).await.0;
    let rejected = stage.submit(&sponsor, mission(same).await, &creator).await;
    stage.reject(&sponsor, rejected).await;
    let rejected = rejected.0;
    stage.submit(&sponsor, mission(same).await, &creator).await;
    stage.earn(&sponsor, mission(same).await, &creator).await;
    stage
        .accept(&sponsor, mission("2026-02-02T00:00:00.000001Z").await, &creator)
        .await;
    let head = stage.caught_up().await;
    let overdue = async |now, limit| stage.models.overdue_assignments(at(now), limit).await.unwrap();
    let answer = overdue(same, 10).await;
    assert_eq!(
        (ids(&answer), answer.position),
        (BTreeSet::from([invited, accepted, rejected]), head)
    );
    assert_eq!(answer.value[0].id, invited, "the oldest comes first");
    assert_eq!(ids(&overdue(same, 1).await), BTreeSet::from([invited]));
    assert_eq!(
        ids(&overdue("2026-02-01T23:59:59Z", 10).await),
        BTreeSet::from([invited])
    );
    assert_eq!(overdue("2026-01-31T23:59:59Z", 10).await.value, []);
    let position = answer.value.iter().find(|due| due.id == rejected).unwrap().position;
    let last = stage.store.event_at(position).await.unwrap().unwrap();
    assert_eq!(
        (&*last.stream.aggregate_id, &*last.event_type),
        (&*rejected.to_string(), "assignment.rejected")
    );
    // Done once, it is not due again.
    stage.wait_until(same);
    for due in answer.value {
        let assignment = AssignmentId(due.id);
        stage
            .run(&Caller::system("expiry"), &ExpireAssignment { assignment })
            .await;
    }
    stage.caught_up().await;
    assert_eq!(overdue(same, 10).await.value, []);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_void_when_their_mission_or_campaign_is_closed() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let other = stage.user(Role::Creator, "other").await;
    let far = "2026-06-01T00:00:00Z";
    let going = stage.published(&sponsor, "Going", "100").await;
    let closing = stage.published(&sponsor, "Closing", "100").await;
    let closed = stage.published(&sponsor, "Closed", "100").await;
    let stays = stage.mission(&sponsor, going, "10", 5, far).await;
    let ends = stage.mission(&sponsor, going, "10", 5, far).await;
    stage.invite(&sponsor, stays, &creator).await;
    let by_mission = stage.invite(&sponsor, ends, &creator).await;
    stage.accept(&sponsor, ends, &other).await;
    let mission = stage.mission(&sponsor, closing, "10", 5, far).await;
    let by_closing = stage.invite(&sponsor, mission, &creator).await;
    stage.accept(&sponsor, mission, &other).await;
    let mission = stage.mission(&sponsor, closed, "10", 5, far).await;
    let by_closed = stage.invite(&sponsor, mission, &creator).await;
    stage.caught_up().await;
    assert_eq!(stage.models.void_invitations(10).await.unwrap().value, []);
    stage.run(&sponsor, &CloseMission { mission: ends }).await;
    stage.run(&sponsor, &CloseCampaign { campaign: closing }).await;
    stage.run(&sponsor, &CloseCampaign { campaign: closed }).await;
    stage.caught_up().await;
    let answer = stage.models.void_invitations(10).await.unwrap();
    assert_eq!(ids(&answer), BTreeSet::from([by_mission.0, by_closing.0, by_closed.0]));
    assert_eq!(stage.models.void_invitations(2).await.unwrap().value.len(), 2);
    for due in answer.value {
        let cancel = CancelInvitation {
            assignment: AssignmentId(due.id),
            reason: None,
        };
        stage.run(&Caller::system("invitations"), &cancel).await;
    }
    stage.caught_up().await;
    assert_eq!(stage.models.void_invitations(10).await.unwrap().value, []);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_are_submitted_when_nothing_stops_them() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let admin = stage.user(Role::Admin, "admin").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let mission = stage
        .mission(&sponsor, campaign, "500", 1, "2026-06-01T00:00:00Z")
        .await;
    stage.earn(&sponsor, mission, &creator).await;
    let payout = stage.request_payout(&creator, campaign, "10").await;
    stage.request_payout(&creator, campaign, "20").await;
    stage.caught_up().await;
    let due = async || stage.models.payouts_to_submit(10).await.unwrap().value;
    assert_eq!(due().await, []);
    let digest = stage.models.payout(payout).await.unwrap().value.unwrap().digest;
    let totp = None;
    let events = stage.run(&sponsor, &ApprovePayout { payout, digest, totp }).await;
    stage.caught_up().await;
    let position = events.last().unwrap().position;
    assert_eq!(due().await, [Due { id: payout.0, position }]);
    let raise = RaiseFlag {
        source_type: SourceType::User,
        source_id: id(&creator).0,
        score: 50,
        reasons: vec!["two accounts".to_owned()],
    };
    let flag = FlagId(stage.made(&admin, &raise).await);
    stage.caught_up().await;
    assert_eq!(due().await, []);
    let resolution = Resolution::Dismiss;
    stage
        .run(
            &admin,
            &ResolveFlag {
                flag,
                resolution,
                note: None,
            },
        )
        .await;
    stage.caught_up().await;
    assert_eq!(due().await[0].id, payout.0);
    let provider = "manual".to_owned();
    stage.run(&admin, &SubmitPayout { payout, provider }).await;
    stage.caught_up().await;
    assert_eq!(due().await, []);
    running.stop().await;
}
