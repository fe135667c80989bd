//! Payouts and suspicions.

use super::super::world::Running;
use super::stage::{Stage, all_pages, fields, id, json_of};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;
use viral_commands::Caller;
use viral_commands::use_cases::*;
use viral_domain::fraud_flag::{self, SourceType};
use viral_domain::payout::Status;
use viral_domain::user::Role;
use viral_domain::{CampaignId, FlagId, PayoutId};
use viral_projections::queries::{FlagFilter, Payout, PayoutFilter};

struct Paying {
    stage: Stage,
    /// It goes on until the test ends.
    _running: Running,
    sponsor: Caller,
    creators: [Caller; 2],
    campaigns: [CampaignId; 2],
    /// Of the first creator from each campaign, of the second from the first campaign.
    payouts: [PayoutId; 3],
}

async fn paying() -> Paying {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "90.00").await;
    let creators = [
        stage.user(Role::Creator, "first").await,
        stage.user(Role::Creator, "second").await,
    ];
    let campaigns = [
        stage.published(&sponsor, "A launch", "1000").await,
        stage.published(&sponsor, "Another", "3000").await,
    ];
    for (campaign, reward) in [(campaigns[0], "100"), (campaigns[1], "1500")] {
        let mission = stage
            .mission(&sponsor, campaign, reward, 2, "2026-06-01T00:00:00Z")
            .await;
        for creator in &creators {
            stage.earn(&sponsor, mission, creator).await;
        }
    }
    let first = stage.request_payout(&creators[0], campaigns[0], "12.5").await;
    stage.wait_until("2026-01-16T00:00:00Z");
    let second = stage.request_payout(&creators[0], campaigns[1], "1200").await;
    let third = stage.request_payout(&creators[1], campaigns[0], "30").await;
    stage.caught_up().await;
    Paying {
        stage,
        _running: running,
        sponsor,
        creators,
        campaigns,
        payouts: [first, second, third],
    }
}

impl Paying {
    async fn payout(&self, payout: PayoutId) -> Payout {
        self.stage.models.payout(payout).await.unwrap().value.unwrap()
    }

    async fn approve(&self, who: &Caller, payout: PayoutId) {
        let digest = self.payout(payout).await.digest;
        let totp = None;
        self.stage.run(who, &ApprovePayout { payout, digest, totp }).await;
        self.stage.caught_up().await;
    }

    async fn finds(&self, filter: PayoutFilter, expected: &[usize]) {
        let whole = all_pages(100, |after, limit| self.stage.models.payouts(&filter, after, limit)).await;
        let found: BTreeSet<Uuid> = whole.iter().map(|row| row.id).collect();
        assert_eq!(
            found,
            expected.iter().map(|number| self.payouts[*number].0).collect(),
            "{filter:?}"
        );
        assert!(whole.is_sorted_by(|a, b| (a.requested_at, a.id) > (b.requested_at, b.id)));
        for limit in 1..=2 {
            let paged = all_pages(limit, |after, limit| self.stage.models.payouts(&filter, after, limit)).await;
            assert_eq!(paged, whole, "pages of {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_are_filtered_and_paged() {
    let told = paying().await;
    let none = PayoutFilter::default;
    told.finds(none(), &[0, 1, 2]).await;
    told.finds(
        PayoutFilter {
            creator: Some(id(&told.creators[0])),
            ..none()
        },
        &[0, 1],
    )
    .await;
    told.finds(
        PayoutFilter {
            creator: Some(id(&told.creators[1])),
            ..none()
        },
        &[2],
    )
    .await;
    told.finds(
        PayoutFilter {
            sponsor: Some(id(&told.sponsor)),
            ..none()
        },
        &[0, 1, 2],
    )
    .await;
    told.finds(
        PayoutFilter {
            sponsor: Some(id(&told.creators[0])),
            ..none()
        },
        &[],
    )
    .await;
    told.finds(
        PayoutFilter {
            campaign: Some(told.campaigns[0]),
            ..none()
        },
        &[0, 2],
    )
    .await;
    told.approve(&told.sponsor, told.payouts[0]).await;
    told.finds(
        PayoutFilter {
            status: Some(Status::Approved),
            ..none()
        },
        &[0],
    )
    .await;
    let status = Some(Status::Requested);
    told.finds(
        PayoutFilter {
            status,
            campaign: Some(told.campaigns[0]),
            ..none()
        },
        &[2],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_tells_who_approved_and_what_stops_it() {
    let told = paying().await;
    let (stage, payout) = (&told.stage, told.payouts[1]);
    let found = told.payout(payout).await;
    let digest = found.digest.clone();
    let mut expected = json!({
        "id": payout, "status": "requested", "held": false, "held_by": [], "campaign_id": told.campaigns[1],
        "creator_id": id(&told.creators[0]), "sponsor_id": id(&told.sponsor), "amount_vcoin": "1200.0000",
        "fiat": {"amount": "12.00", "asset": "USD"}, "rate": "0.01", "digest": digest, "needs_admin": true,
        "attempt": 0, "attempts": found.attempts, "sponsor_approved_by": null, "sponsor_approved_at": null,
        "admin_approved_by": null, "admin_approved_at": null, "provider": null, "provider_reference": null,
        "reason": null, "requested_at": "2026-01-16T00:00:00.000000Z", "updated_at": "2026-01-16T00:00:00.000000Z",
    });
    assert_eq!(json_of(&found), expected);
    assert!(!told.payout(told.payouts[0]).await.needs_admin);
    stage.wait_until("2026-01-17T00:00:00Z");
    told.approve(&told.sponsor, payout).await;
    let admin = stage.user(Role::Admin, "admin").await;
    stage.wait_until("2026-01-18T00:00:00Z");
    told.approve(&admin, payout).await;
    let raise = RaiseFlag {
        source_type: SourceType::Payout,
        source_id: payout.0,
        score: 90,
        reasons: vec!["the same work twice".to_owned()],
    };
    let flag = FlagId(stage.made(&admin, &raise).await);
    stage.caught_up().await;
    for (field, value) in [
        ("status", json!("approved")),
        ("held", json!(true)),
        ("held_by", json!([flag])),
        ("sponsor_approved_by", json!(id(&told.sponsor))),
        ("sponsor_approved_at", json!("2026-01-17T00:00:00.000000Z")),
        ("admin_approved_by", json!(id(&admin))),
        ("admin_approved_at", json!("2026-01-18T00:00:00.000000Z")),
        ("updated_at", json!("2026-01-18T00:00:00.000000Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!(json_of(&told.payout(payout).await), expected);
    let nothing = PayoutId(Uuid::from_u128(1));
    assert_eq!(stage.models.payout(nothing).await.unwrap().value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspicions_come_by_risk() {
    let told = paying().await;
    let stage = &told.stage;
    let admin = stage.user(Role::Admin, "admin").await;
    let mut flags = Vec::new();
    let (user, payout) = (SourceType::User, SourceType::Payout);
    for (day, score, source_type) in [
        (1, 50, user),
        (2, 90, payout),
        (3, 50, user),
        (3, 50, payout),
        (4, 10, user),
    ] {
        stage.wait_until(&format!("2026-02-0{day}T00:00:00Z"));
        let source_id = match source_type {
            SourceType::User => id(&told.creators[1]).0,
            _ => told.payouts[0].0,
        };
        let reasons = vec![format!("reason {}", flags.len())];
        let raise = RaiseFlag {
            source_type,
            source_id,
            score,
            reasons,
        };
        flags.push(stage.made(&admin, &raise).await);
    }
    let resolve = ResolveFlag {
        flag: FlagId(flags[0]),
        resolution: Resolution::Dismiss,
        note: Some("a mistake".to_owned()),
    };
    stage.run(&admin, &resolve).await;
    stage.caught_up().await;
    // Of the same score the newest comes first; of the same moment the larger id.
    let (larger, smaller) = if flags[2] > flags[3] { (2, 3) } else { (3, 2) };
    let finds = async |filter: FlagFilter, expected: &[usize]| {
        for limit in [1, 2, 100] {
            let rows = all_pages(limit, |after, limit| stage.models.fraud_flags(&filter, after, limit)).await;
            let found: Vec<usize> = rows
                .iter()
                .map(|row| flags.iter().position(|flag| *flag == row.id).unwrap())
                .collect();
            assert_eq!(found, expected, "{filter:?}, pages of {limit}");
        }
    };
    let none = FlagFilter::default;
    finds(none(), &[1, larger, smaller, 0, 4]).await;
    finds(
        FlagFilter {
            min_score: Some(50),
            ..none()
        },
        &[1, larger, smaller, 0],
    )
    .await;
    finds(
        FlagFilter {
            min_score: Some(51),
            ..none()
        },
        &[1],
    )
    .await;
    finds(
        FlagFilter {
            source_type: Some(user),
            ..none()
        },
        &[2, 0, 4],
    )
    .await;
    finds(
        FlagFilter {
            status: Some(fraud_flag::Status::Dismissed),
            ..none()
        },
        &[0],
    )
    .await;
    let status = Some(fraud_flag::Status::Open);
    finds(
        FlagFilter {
            status,
            source_type: Some(user),
            min_score: Some(20),
        },
        &[2],
    )
    .await;
    let one = stage.models.fraud_flag(FlagId(flags[0])).await.unwrap().value.unwrap();
    let expected = json!({
        "id": flags[0], "source_type": "user", "source_id": id(&told.creators[1]), "score": 50, "reasons": ["reason 0"],
        "status": "dismissed", "note": "a mistake", "reviewer": id(&admin), "raised_by": id(&admin),
        "raised_at": "2026-02-01T00:00:00.000000Z", "resolved_at": "2026-02-04T00:00:00.000000Z",
    });
    assert_eq!(json_of(&one), expected);
    let open = stage.models.fraud_flag(FlagId(flags[4])).await.unwrap().value.unwrap();
    assert_eq!(
        fields(&open, &["status", "resolved_at"]),
        json!({"status": "open", "resolved_at": null})
    );
    assert_eq!(
        stage.models.fraud_flag(FlagId(Uuid::from_u128(1))).await.unwrap().value,
        None
    );
}
