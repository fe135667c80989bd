//! Lists of campaigns, what creators see of them, and a campaign with its figures.

use super::super::world::Running;
use super::stage::{Stage, all_pages, fields, id, json_of, vcoin};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;
use viral_commands::Caller;
use viral_commands::use_cases::*;
use viral_domain::campaign::Status;
use viral_domain::user::Role;
use viral_domain::{CampaignId, MissionId, effects};
use viral_projections::queries::{CampaignFilter, CampaignSummary};

/// Campaigns in every status, of two sponsors, all created at the same moment.
struct Crowd {
    stage: Stage,
    running: Running,
    sponsor: Caller,
    rival: Caller,
    creator: Caller,
    draft: CampaignId,
    published: CampaignId,
    paused: CampaignId,
    /// The creator works for it.
    closing: CampaignId,
    closed: CampaignId,
    /// The rival's, published, of another type.
    foreign: CampaignId,
}

impl Crowd {
    async fn new() -> Crowd {
        let (stage, running) = Stage::new().await;
        let sponsor = stage.sponsor("sponsor", "100.00").await;
        let rival = stage.sponsor("rival", "100.00").await;
        let creator = stage.user(Role::Creator, "creator").await;
        let draft = stage.draft(&sponsor, "draft", "launch", json!({})).await;
        let published = stage.published(&sponsor, "published", "10").await;
        let paused = stage.published(&sponsor, "paused", "10").await;
        let pause = PauseCampaign {
            campaign: paused,
            reason: None,
        };
        stage.run(&sponsor, &pause).await;
        let closing = stage.published(&sponsor, "closing", "100").await;
        let mission = stage.mission(&sponsor, closing, "40", 1, "2026-03-01T00:00:00Z").await;
        stage.accept(&sponsor, mission, &creator).await;
        stage.run(&sponsor, &CloseCampaign { campaign: closing }).await;
        let closed = stage.published(&sponsor, "closed", "10").await;
        stage.run(&sponsor, &CloseCampaign { campaign: closed }).await;
        let foreign = stage.draft(&rival, "foreign", "review", json!({})).await;
        stage.mission(&rival, foreign, "1", 1, "2026-03-01T00:00:00Z").await;
        stage.run(&rival, &PublishCampaign { campaign: foreign }).await;
        stage.caught_up().await;
        Crowd {
            stage,
            running,
            sponsor,
            rival,
            creator,
            draft,
            published,
            paused,
            closing,
            closed,
            foreign,
        }
    }

    /// What a filter finds in pages of so many.
    async fn rows(&self, filter: &CampaignFilter, limit: usize) -> Vec<CampaignSummary> {
        all_pages(limit, |after, limit| self.stage.models.campaigns(filter, after, limit)).await
    }

    /// Does a filter find these, whatever the size of the pages?
    async fn finds(&self, filter: CampaignFilter, expected: &[CampaignId]) {
        let whole = self.rows(&filter, 100).await;
        let found: BTreeSet<Uuid> = whole.iter().map(|row| row.id).collect();
        assert_eq!(found, expected.iter().map(|id| id.0).collect(), "{filter:?}");
        for limit in 1..=3 {
            assert_eq!(self.rows(&filter, limit).await, whole, "pages of {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn campaigns_are_filtered_and_paged() {
    let crowd = Crowd::new().await;
    let (sponsor, rival) = (Some(id(&crowd.sponsor)), Some(id(&crowd.rival)));
    let all = [
        crowd.draft,
        crowd.published,
        crowd.paused,
        crowd.closing,
        crowd.closed,
        crowd.foreign,
    ];
    let none = CampaignFilter::default;
    crowd.finds(none(), &all).await;
    crowd.finds(CampaignFilter { sponsor, ..none() }, &all[..5]).await;
    crowd
        .finds(
            CampaignFilter {
                sponsor: rival,
                ..none()
            },
            &all[5..],
        )
        .await;
    let status = Some(Status::Published);
    crowd
        .finds(CampaignFilter { status, ..none() }, &[crowd.published, crowd.foreign])
        .await;
    crowd
        .finds(
            CampaignFilter {
                sponsor,
                status,
                ..none()
            },
            &[crowd.published],
        )
        .await;
    let campaign_type = Some("review".to_owned());
    crowd
        .finds(
            CampaignFilter {
                campaign_type,
                ..none()
            },
            &[crowd.foreign],
        )
        .await;
    let creator_view = Some(id(&crowd.creator));
    let seen = [crowd.published, crowd.paused, crowd.closing, crowd.foreign];
    crowd.finds(CampaignFilter { creator_view, ..none() }, &seen).await;
    let status = Some(Status::Closed);
    crowd
        .finds(
            CampaignFilter {
                creator_view,
                status,
                ..none()
            },
            &[],
        )
        .await;
    crowd.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_campaign_comes_first_also_if_it_comes_between_two_pages() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "1.00").await;
    let mut created = Vec::new();
    for day in 16..20 {
        stage.wait_until(&format!("2026-01-{day}T09:00:00.000001Z"));
        created.push(stage.draft(&sponsor, "a draft", "launch", json!({})).await.0);
    }
    stage.caught_up().await;
    let filter = CampaignFilter::default();
    let first = stage.models.campaigns(&filter, None, 2).await.unwrap().value;
    let ids = |rows: &[CampaignSummary]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&first.items), [created[3], created[2]]);
    stage.draft(&sponsor, "late", "launch", json!({})).await;
    stage.caught_up().await;
    let second = stage.models.campaigns(&filter, first.next, 2).await.unwrap().value;
    assert_eq!((ids(&second.items), second.next), (vec![created[1], created[0]], None));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn creators_see_no_money() {
    let crowd = Crowd::new().await;
    let creator = Some(id(&crowd.creator));
    let models = &crowd.stage.models;
    for (campaign, visible) in [
        (crowd.draft, false),
        (crowd.published, true),
        (crowd.paused, true),
        (crowd.closing, true),
        (crowd.closed, false),
    ] {
        let seen = models.campaign(campaign, creator).await.unwrap().value;
        assert_eq!(seen.is_some(), visible, "{campaign}");
        let missions = models.missions_of(campaign, creator).await.unwrap().value;
        assert_eq!(missions.is_some(), visible, "{campaign}");
        let whole = models.campaign(campaign, None).await.unwrap().value.unwrap();
        assert!(json_of(&whole)["money"].is_object(), "{campaign}");
        let mission = models.missions_of(campaign, None).await.unwrap().value.unwrap().value;
        for mission in mission {
            let seen = models.mission(MissionId(mission.id), creator).await.unwrap().value;
            assert_eq!(seen.is_some(), visible, "{campaign}");
        }
        if let Some(seen) = seen {
            assert_eq!(fields(&seen, &["money"]), json!({"money": "absent"}));
        }
    }
    let filter = CampaignFilter {
        creator_view: creator,
        ..CampaignFilter::default()
    };
    let rows = crowd.rows(&filter, 100).await;
    assert!(rows.iter().all(|row| row.money.is_none()));
    assert!(
        crowd
            .rows(&CampaignFilter::default(), 100)
            .await
            .iter()
            .all(|row| row.money.is_some())
    );
    crowd.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_has_its_figures() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let targets = json!({"deliverables": 4, "creators": 2, "spend_vcoin": 800, "impressions": 100_000});
    let campaign = stage.draft(&sponsor, "A launch", "launch", targets.clone()).await;
    let many = stage
        .mission(&sponsor, campaign, "100", 5, "2026-03-01T00:00:00Z")
        .await;
    let single = stage
        .mission(&sponsor, campaign, "30.5", 1, "2026-03-01T00:00:00Z")
        .await;
    stage.wait_until("2026-01-16T10:00:00Z");
    stage.run(&sponsor, &PublishCampaign { campaign }).await;
    stage.fund(&sponsor, campaign, "1000").await;
    stage.run(&sponsor, &CloseMission { mission: single }).await;
    let mut creators = Vec::new();
    for number in 0..6 {
        creators.push(stage.user(Role::Creator, &format!("creator {number}")).await);
    }
    stage.earn(&sponsor, many, &creators[0]).await;
    let rejected = stage.submit(&sponsor, many, &creators[1]).await;
    stage.reject(&sponsor, rejected).await;
    stage.submit(&sponsor, many, &creators[2]).await;
    stage.accept(&sponsor, many, &creators[3]).await;
    stage.invite(&sponsor, many, &creators[4]).await;
    let declined = stage.invite(&sponsor, many, &creators[5]).await;
    let decline = DeclineAssignment {
        assignment: declined,
        reason: None,
    };
    stage.run(&creators[5], &decline).await;
    let head = stage.caught_up().await;
    let answer = stage.models.campaign(campaign, None).await.unwrap();
    assert_eq!(answer.position, head);
    let expected = json!({
        "id": campaign, "sponsor_id": id(&sponsor), "type": "launch", "title": "A launch",
        "description": "Show it to everybody.", "kpi_config": targets, "status": "published",
        "start_at": "2026-01-01T00:00:00.000000Z", "end_at": "2026-12-31T00:00:00.000000Z",
        "created_at": "2026-01-15T09:00:00.000000Z", "updated_at": "2026-01-16T10:00:00.000000Z",
        "money": {"budget": "5000.0000", "funded": "1000.0000", "held": "200.0000", "paid": "100.0000",
            "returned": "0.0000", "left": "700.0000"},
        "missions": {"total": 2, "open": 1, "places": 6, "places_taken": 3},
        "assignments": {"invited": 1, "accepted": 1, "submitted": 1, "approved": 1, "rejected": 1, "declined": 1,
            "withdrawn": 0, "expired": 0, "cancelled": 0},
        "kpi_progress": [
            {"metric": "creators", "target": 2, "actual": 1, "percent": 50.0},
            {"metric": "deliverables", "target": 4, "actual": 1, "percent": 25.0},
            {"metric": "impressions", "target": 100_000, "actual": 0, "percent": 0.0},
            {"metric": "spend_vcoin", "target": 800, "actual": "100.0000", "percent": 12.5},
        ],
        "engagement": {"impressions": 0, "clicks": 0, "watch_time": 0, "conversions": 0},
    });
    assert_eq!(json_of(&answer.value.unwrap()), expected);
    let escrow = stage.balance(effects::escrow(campaign)).await;
    assert_eq!(escrow, vcoin("900"));
    // What was paid is money as well.
    let seen = stage
        .models
        .campaign(campaign, creators[0].user)
        .await
        .unwrap()
        .value
        .unwrap();
    let spend = json!({"metric": "spend_vcoin", "target": 800, "actual": null, "percent": null});
    assert_eq!(json_of(&seen)["kpi_progress"][3], spend);
    let nobody = stage
        .models
        .campaign(CampaignId(Uuid::from_u128(1)), None)
        .await
        .unwrap();
    assert_eq!((nobody.value, nobody.position), (None, head));
    running.stop().await;
}
