//! What the tables say after a small story.

use super::story::{self, CAMPAIGN, CANCELLED_PAYOUT, CREATOR, FLAG, MISSION, OTHER, PAYOUT, SPONSOR, columns, id};
use super::world::World;
use serde_json::{Value, json};
use viral_projections::{State, list};

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_told_by_every_table() {
    let world = World::new().await;
    let running = world.start();
    let (paid, rejected, reversed) = story::whole(&world).await;
    world.caught_up().await;
    users(&world).await;
    campaigns(&world, paid.0, rejected.0).await;
    wallets(&world, paid.0, reversed).await;
    payouts_and_flags(&world).await;
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    let rows: usize = report.compared.iter().map(|compared| compared.rows).sum();
    let counted = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM campaigns) \
         + (SELECT count(*) FROM campaign_missions) + (SELECT count(*) FROM creator_assignments) \
         + (SELECT count(*) FROM wallet_accounts) + (SELECT count(*) FROM wallet_transactions) \
         + (SELECT count(*) FROM wallet_holds) + (SELECT count(*) FROM payouts) + (SELECT count(*) FROM fraud_flags)";
    assert_eq!(rows.to_string(), world.text(counted).await);
    let head = world.head().await;
    for status in list(world.store.pool(), world.store.as_ref()).await.unwrap() {
        assert_eq!(
            (status.position, status.head, status.parked),
            (head, head, 0),
            "{status:?}"
        );
        assert_eq!(
            (status.version, status.state, &status.problem),
            (1, State::Live, &None),
            "{status:?}"
        );
    }
    running.stop().await;
}

async fn users(world: &World) {
    let row = world
        .row(&format!("SELECT * FROM users WHERE id = '{}'", id(CREATOR)))
        .await;
    assert_eq!(
        columns(&row, &["role", "auth_provider_id", "verification_state"]),
        json!({"role": "creator", "auth_provider_id": null, "verification_state": "verified"})
    );
    let profile: Value = serde_json::from_str(&story::profile("creator")).unwrap();
    assert_eq!(row["profile_metadata"], profile);
    assert!(row["updated_at"].as_str() > row["created_at"].as_str());
    let row = world
        .row(&format!("SELECT * FROM users WHERE id = '{}'", id(OTHER)))
        .await;
    assert_eq!(row["profile_metadata"]["display_name"], "another");
}

async fn campaigns(world: &World, paid: uuid::Uuid, rejected: uuid::Uuid) {
    let row = world.row("SELECT *, budget_vcoin::text AS budget FROM campaigns").await;
    assert_eq!(
        columns(
            &row,
            &[
                "id",
                "sponsor_id",
                "type",
                "title",
                "kpi_config",
                "budget",
                "status",
                "start_at"
            ]
        ),
        json!({"id": id(CAMPAIGN), "sponsor_id": id(SPONSOR), "type": "launch", "title": "A launch",
            "kpi_config": {"impressions": 100_000}, "budget": "3000.5000", "status": "closed",
            "start_at": "2026-01-01T12:30:00.000001+00:00"})
    );
    assert_eq!(
        columns(&row, &["funded_vcoin", "held_vcoin", "paid_vcoin", "returned_vcoin"]),
        json!({"funded_vcoin": 1000.0, "held_vcoin": 0.0, "paid_vcoin": 100.0, "returned_vcoin": 900.0})
    );
    let row = world.row("SELECT * FROM campaign_missions").await;
    assert_eq!(
        columns(
            &row,
            &[
                "id",
                "campaign_id",
                "mission_type",
                "requirements",
                "status",
                "places",
                "places_taken",
                "open_call"
            ]
        ),
        json!({"id": id(MISSION), "campaign_id": id(CAMPAIGN), "mission_type": "video",
            "requirements": {"required": ["url"]}, "status": "open", "places": 2, "places_taken": 1, "open_call": true})
    );
    let row = world
        .row(&format!("SELECT * FROM creator_assignments WHERE id = '{paid}'"))
        .await;
    assert_eq!(
        columns(
            &row,
            &[
                "creator_id",
                "mission_id",
                "assignment_status",
                "deliverable_url",
                "metrics",
                "submissions"
            ]
        ),
        json!({"creator_id": id(CREATOR), "mission_id": id(MISSION), "assignment_status": "approved",
            "deliverable_url": "https://example.org/video", "metrics": {}, "submissions": 1})
    );
    assert_eq!(
        columns(&row, &["reward_vcoin", "fee_bps", "fee_vcoin", "net_vcoin", "reason"]),
        json!({"reward_vcoin": 100.0, "fee_bps": 500, "fee_vcoin": 5.0, "net_vcoin": 95.0, "reason": null})
    );
    assert_eq!(row["deliverable"]["details"], json!({"views": 1.5e-7}));
    for moment in ["invited_at", "accepted_at", "submitted_at", "resolved_at"] {
        assert!(row[moment].is_string(), "{moment}");
    }
    let row = world
        .row(&format!("SELECT * FROM creator_assignments WHERE id = '{rejected}'"))
        .await;
    assert_eq!(
        columns(&row, &["assignment_status", "reason", "invited_at", "net_vcoin"]),
        json!({"assignment_status": "rejected", "reason": "too short", "invited_at": null, "net_vcoin": null})
    );
}

async fn wallets(world: &World, paid: uuid::Uuid, reversed: uuid::Uuid) {
    let accounts = "SELECT address, kind, user_id, balance_vcoin, escrow_balance, held_vcoin FROM wallet_accounts";
    let account = async |address: String| world.row(&format!("{accounts} WHERE address = '{address}'")).await;
    let expected = |address: &str, kind: &str, user: Value, balance: f64| {
        json!({"address": address, "kind": kind, "user_id": user, "balance_vcoin": balance,
            "escrow_balance": 0.0, "held_vcoin": 0.0})
    };
    for (address, kind, user, balance) in [
        (
            format!("user:{}:wallet", id(SPONSOR)),
            "wallet",
            json!(id(SPONSOR)),
            4900.0,
        ),
        (
            format!("user:{}:wallet", id(CREATOR)),
            "wallet",
            json!(id(CREATOR)),
            44.5,
        ),
        (format!("user:{}:wallet", id(OTHER)), "wallet", json!(id(OTHER)), 0.0),
        (
            format!("campaign:{}:escrow", id(CAMPAIGN)),
            "escrow",
            json!(id(SPONSOR)),
            0.0,
        ),
        (
            format!("payout:{}:pending", id(PAYOUT)),
            "payout",
            json!(id(CREATOR)),
            0.0,
        ),
        (
            format!("payout:{}:pending", id(CANCELLED_PAYOUT)),
            "payout",
            json!(id(CREATOR)),
            0.0,
        ),
        ("platform:fees".to_owned(), "platform", Value::Null, 5.0),
        ("platform:issuance".to_owned(), "platform", Value::Null, 4949.5),
    ] {
        assert_eq!(account(address.clone()).await, expected(&address, kind, user, balance));
    }
    assert_eq!(world.text("SELECT count(*) FROM wallet_accounts").await, "8");

    let of_creator = format!(
        "SELECT type, amount_vcoin, balance_after, reference_type, status FROM wallet_transactions \
         WHERE user_id = '{}' AND account_id = (SELECT id FROM wallet_accounts WHERE address = 'user:{0}:wallet') \
         ORDER BY posted_position",
        id(CREATOR)
    );
    let steps: Vec<_> = world
        .rows(&of_creator)
        .await
        .iter()
        .map(|row| row["balance_after"].clone())
        .collect();
    assert_eq!(json!(steps), json!([95.0, 44.5, 34.5, 44.5]));
    let reward = &world.rows(&of_creator).await[0];
    assert_eq!(
        reward,
        &json!({"type": "reward", "amount_vcoin": 95.0, "balance_after": 95.0, "reference_type": "assignment",
            "status": "posted"})
    );
    let legs = format!(
        "SELECT amount_vcoin, status FROM wallet_transactions WHERE transaction_id = '{reversed}' ORDER BY amount_vcoin"
    );
    // Issuance grows with what is issued: it is a debit account.
    assert_eq!(
        world.rows(&legs).await,
        [
            json!({"amount_vcoin": 100.0, "status": "reversed"}),
            json!({"amount_vcoin": 100.0, "status": "reversed"})
        ]
    );
    let of_sponsor = format!(
        "SELECT amount_vcoin FROM wallet_transactions WHERE type = 'reversal' AND user_id = '{}'",
        id(SPONSOR)
    );
    assert_eq!(world.row(&of_sponsor).await, json!({"amount_vcoin": -100.0}));

    let holds = "SELECT status, amount_vcoin, user_id, campaign_id, expires_at FROM wallet_holds";
    let of_reward = world.row(&format!("{holds} WHERE reference_id = '{paid}'")).await;
    assert_eq!(
        of_reward,
        json!({"status": "captured", "amount_vcoin": 100.0, "user_id": id(SPONSOR), "campaign_id": id(CAMPAIGN),
            "expires_at": null})
    );
    let voided = world
        .rows(&format!("{holds} WHERE status = 'voided' ORDER BY amount_vcoin"))
        .await;
    assert_eq!(voided.len(), 2);
    assert_eq!(voided[0]["expires_at"], "2100-01-01T00:00:00+00:00");
    assert_eq!(voided[0]["campaign_id"], Value::Null);
}

async fn payouts_and_flags(world: &World) {
    let row = world
        .row(&format!("SELECT * FROM payouts WHERE id = '{}'", id(PAYOUT)))
        .await;
    assert_eq!(
        columns(
            &row,
            &[
                "status",
                "needs_admin",
                "attempt",
                "attempts",
                "held_by",
                "sponsor_approved_by"
            ]
        ),
        json!({"status": "settled", "needs_admin": true, "attempt": 2, "attempts": 3, "held_by": [],
            "sponsor_approved_by": "a sponsor"})
    );
    assert_eq!(
        columns(
            &row,
            &[
                "admin_approved_by",
                "provider",
                "provider_reference",
                "reason",
                "fiat_amount",
                "rate"
            ]
        ),
        json!({"admin_approved_by": "an admin", "provider": "manual", "provider_reference": "bank-7", "reason": null,
            "fiat_amount": 0.5, "rate": 0.01})
    );
    let row = world
        .row(&format!("SELECT * FROM payouts WHERE id = '{}'", id(CANCELLED_PAYOUT)))
        .await;
    assert_eq!(
        columns(&row, &["status", "needs_admin", "reason", "provider"]),
        json!({"status": "cancelled", "needs_admin": false, "reason": "later", "provider": null})
    );
    let row = world.row("SELECT * FROM fraud_flags").await;
    assert_eq!(
        columns(
            &row,
            &[
                "id",
                "source_type",
                "source_id",
                "score",
                "reasons",
                "reviewer_id",
                "resolution_status",
                "note"
            ]
        ),
        json!({"id": id(FLAG), "source_type": "user", "source_id": id(CREATOR), "score": 80,
            "reasons": ["velocity", "same device"], "reviewer_id": "a reviewer", "resolution_status": "dismissed",
            "note": "asked, all fine"})
    );
    assert_eq!(row["raised_by"], "tester");
}

/// While the campaign goes on, the sponsor's wallet says what lies in the escrows.
#[tokio::test(flavor = "multi_thread")]
async fn open_work_shows_in_escrow_and_holds() {
    let world = World::new().await;
    let running = world.start();
    story::begins(&world).await;
    world.caught_up().await;
    let wallet = world
        .row(&format!(
            "SELECT * FROM wallet_accounts WHERE address = 'user:{}:wallet'",
            id(SPONSOR)
        ))
        .await;
    assert_eq!(
        columns(&wallet, &["balance_vcoin", "escrow_balance"]),
        json!({"balance_vcoin": 4000.0, "escrow_balance": 1000.0})
    );
    let escrow = world.row("SELECT * FROM wallet_accounts WHERE kind = 'escrow'").await;
    assert_eq!(
        columns(&escrow, &["balance_vcoin", "held_vcoin", "campaign_id"]),
        json!({"balance_vcoin": 1000.0, "held_vcoin": 200.0, "campaign_id": id(CAMPAIGN)})
    );
    assert_eq!(
        world.row("SELECT held_vcoin FROM campaigns").await,
        json!({"held_vcoin": 200.0})
    );
    running.stop().await;
}
