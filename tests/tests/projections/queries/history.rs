//! The history of a campaign, compared with the whole log.

use super::stage::{Stage, id};
use serde_json::Value;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_domain::user::Role;
use viral_domain::{CampaignId, effects};
use viral_store::{Position, StoredEvent};

/// The events of a log that are about a campaign, by looking at each.
fn about(log: &[StoredEvent], campaign: CampaignId) -> Vec<StoredEvent> {
    let (own, escrow) = (campaign.to_string(), effects::escrow(campaign).to_string());
    let (mut assignments, mut holds, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for event in log {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        let id = event.stream.aggregate_id.to_string();
        let is_about = match (&*event.stream.aggregate_type, &*event.event_type) {
            ("campaign", _) => id == own,
            ("assignment", _) => {
                let offer = payload.get("offer").unwrap_or(&payload);
                if offer["campaign"] == own {
                    assignments.push(id.clone());
                }
                assignments.contains(&id)
            }
            ("book", "book.transaction_posted") => event.payload.contains(&escrow),
            ("book", "book.hold_placed") if payload["account"] == escrow => {
                holds.push(payload["hold"].clone());
                true
            }
            ("book", "book.hold_voided") => holds.contains(&payload["hold"]),
            _ => false,
        };
        if is_about {
            found.push(event.clone());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_complete_and_nothing_else() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "90.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let other = stage.user(Role::Creator, "other").await;
    let mut campaigns = Vec::new();
    for title in ["A launch", "Another"] {
        let campaign = stage.published(&sponsor, title, "1000").await;
        let mission = stage
            .mission(&sponsor, campaign, "100", 3, "2026-06-01T00:00:00Z")
            .await;
        stage.earn(&sponsor, mission, &creator).await;
        let assignment = stage.accept(&sponsor, mission, &other).await;
        let withdraw = WithdrawAssignment {
            assignment,
            reason: None,
        };
        stage.run(&other, &withdraw).await;
        stage.accept(&sponsor, mission, &other).await;
        stage.request_payout(&creator, campaign, "10").await;
        campaigns.push(campaign);
    }
    stage.run(&sponsor, &CloseCampaign { campaign: campaigns[0] }).await;
    let head = stage.caught_up().await;
    let log = stage.log().await;
    for campaign in campaigns {
        let expected = about(&log, campaign);
        assert!(expected.len() > 20, "{}", expected.len());
        for limit in [1, 3, 500] {
            let (mut found, mut after) = (Vec::new(), Position::START);
            loop {
                let answer = stage.models.campaign_events(campaign, after, limit).await.unwrap();
                assert_eq!(answer.position, head);
                let page = answer.value.unwrap();
                assert_eq!(page.sponsor_id, id(&sponsor));
                let Some(last) = page.value.last() else { break };
                assert!(page.value.len() <= limit);
                after = last.position;
                found.extend(page.value);
            }
            assert_eq!(found, expected, "pages of {limit}");
        }
    }
    let nothing = CampaignId(Uuid::from_u128(1));
    assert_eq!(
        stage
            .models
            .campaign_events(nothing, Position::START, 10)
            .await
            .unwrap()
            .value,
        None
    );
    running.stop().await;
}
