//! Wallets: what is in them, as the ledger has it, and how it came to that.

use crate::people::Person;
use crate::stage::{Stage, id};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;
use viral_api::Role;

const MINE: &str = "/v1/wallets/me";
const DAY: Duration = Duration::from_secs(86_400);

/// A list of transactions, without what no test can know.
fn without_ids(transactions: &Value) -> Value {
    let without = |transaction: &Value| {
        let mut transaction = transaction.clone();
        let fields = transaction.as_object_mut().unwrap();
        for name in ["id", "transaction_id"] {
            let id = fields.remove(name).unwrap();
            assert!(Uuid::try_parse(id.as_str().unwrap()).is_ok());
        }
        transaction
    };
    transactions.as_array().unwrap().iter().map(without).collect()
}

#[tokio::test]
async fn a_sponsor_sees_its_money_and_where_the_rest_is() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let funded_at = stage.api.now();
    stage.api.advance(DAY);
    let assignment = stage.accepted(&mission, &stage.first).await;
    let placed_at = stage.api.now();
    let mut wallet = stage.api.read_as(&stage.sponsor, MINE).await;
    let hold = wallet["holds"][0]["id"].as_str().unwrap().to_owned();
    assert!(Uuid::try_parse(&hold).is_ok());
    let on_ramp = wallet["transactions"][1]["reference_id"].clone();
    let escrow = format!("campaign:{}:escrow", id(&campaign));
    wallet["transactions"] = without_ids(&wallet["transactions"]);
    let at = |time: &str, mut transaction: Value| {
        for name in ["effective_at", "posted_at"] {
            transaction[name] = time.into();
        }
        transaction["status"] = "posted".into();
        transaction
    };
    let expected = json!({
        "account": format!("user:{}:wallet", stage.sponsor.id), "balance_vcoin": "15000.0000", "held_vcoin": "0.0000",
        "available_vcoin": "15000.0000", "in_payout_vcoin": "0.0000", "escrow_vcoin": "5000.0000",
        "escrow": [{"campaign_id": id(&campaign), "title": "A launch", "balance_vcoin": "5000.0000",
            "held_vcoin": "500.0000"}],
        "holds": [{"id": hold, "account": escrow, "campaign_id": id(&campaign), "amount_vcoin": "500.0000",
            "reference_type": "assignment", "reference_id": id(&assignment), "expires_at": null,
            "placed_at": placed_at}],
        "holds_total": 1,
        "transactions": [
            at(&funded_at, json!({"type": "fund", "amount_vcoin": "-5000.0000", "balance_after": "15000.0000",
                "reference_type": "campaign", "reference_id": id(&campaign)})),
            at(&funded_at, json!({"type": "on_ramp", "amount_vcoin": "20000.0000", "balance_after": "20000.0000",
                "reference_type": "on_ramp", "reference_id": on_ramp})),
        ],
        "position": stage.api.head().await.to_string(),
    });
    assert_eq!(wallet, expected);
}

#[tokio::test]
async fn a_creator_sees_what_was_earned_and_what_is_on_its_way_out() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let assignment = stage.approved(&mission, &stage.first).await;
    let payout = stage.requested(&campaign, &stage.first, "75.5").await;
    let wallet = stage.api.read_as(&stage.first, MINE).await;
    for (name, amount) in [
        ("balance_vcoin", "399.5000"),
        ("held_vcoin", "0.0000"),
        ("available_vcoin", "399.5000"),
        ("in_payout_vcoin", "75.5000"),
        ("escrow_vcoin", "0.0000"),
    ] {
        assert_eq!(wallet[name], amount, "{name}");
    }
    assert_eq!(
        (&wallet["escrow"], &wallet["holds"], &wallet["holds_total"]),
        (&json!([]), &json!([]), &json!(0))
    );
    let entry = |transaction: &Value| {
        let text = |name: &str| transaction[name].as_str().unwrap().to_owned();
        [
            text("type"),
            text("amount_vcoin"),
            text("balance_after"),
            text("reference_id"),
        ]
    };
    let transactions: Vec<[String; 4]> = wallet["transactions"].as_array().unwrap().iter().map(entry).collect();
    let expected = [
        ["payout_request", "-75.5000", "399.5000", payout["id"].as_str().unwrap()],
        ["reward", "475.0000", "475.0000", id(&assignment)],
    ];
    assert_eq!(transactions, expected);
    assert_eq!(wallet["transactions"][0]["transaction_id"], payout["transaction_id"]);
}

#[tokio::test]
async fn transactions_come_in_pages_and_by_type_and_time() {
    let stage = Stage::new().await;
    let campaign = stage.draft().await;
    stage.buys("100").await;
    for _ in 0..5 {
        stage.api.advance(DAY);
        stage.does("fund", &campaign, json!({"amount_vcoin": "1"}), 201).await;
    }
    let sponsor = &stage.sponsor;
    let all = stage.api.read_as(sponsor, MINE).await["transactions"].clone();
    assert_eq!(all.as_array().unwrap().len(), 6);
    for limit in 1..=3 {
        let mut pages = stage.api.pages_as(sponsor, MINE, "transactions", limit).await;
        assert_eq!(Value::from(pages.clone()), all, "{limit}");
        pages.truncate(5);
        let funds = stage
            .api
            .pages_as(sponsor, &format!("{MINE}?type=fund"), "transactions", limit)
            .await;
        assert_eq!(funds, pages);
    }
    let counted = async |query: &str| {
        let page = stage.api.read_as(sponsor, &format!("{MINE}?{query}")).await;
        // The filter is for the list: the totals are the wallet's.
        assert_eq!(page["balance_vcoin"], "9995.0000");
        page["transactions"].as_array().unwrap().len()
    };
    for (query, expected) in [
        ("type=on_ramp", 1),
        ("type=reward", 0),
        ("from=2026-03-03T12:00:00Z", 4),
        ("to=2026-03-03T12:00:00Z", 2),
        ("from=2026-03-03T12:00:00Z&to=2026-03-05T12:00:00Z", 2),
        ("from=2026-03-03T12:00:00Z&type=on_ramp", 0),
        ("limit=500", 6),
    ] {
        assert_eq!(counted(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked() {
    let stage = Stage::new().await;
    for (query, code) in [
        ("type=Fund", "invalid_code"),
        ("from=yesterday", "invalid_time"),
        ("to=2026-03-01", "invalid_time"),
        ("limit=0", "invalid_limit"),
        ("cursor=772f31", "invalid_cursor"),
        ("cursor=702f312f31", "invalid_cursor"),
        ("status=posted", "invalid_query"),
        ("type=fund&type=fund", "invalid_query"),
    ] {
        let path = format!("{MINE}?{query}");
        stage.api.unread_as(&stage.sponsor, &path, (400, code)).await;
    }
}

#[tokio::test]
async fn whose_wallet_who_sees() {
    let stage = Stage::new().await;
    stage.published(1).await;
    let path = |who: &Person| format!("/v1/wallets/{}", who.id);
    let own = stage.api.read_as(&stage.sponsor, MINE).await;
    let lookers = stage.lookers();
    for who in [&stage.admin, &lookers[0], &lookers[1]] {
        assert_eq!(stage.api.read_as(who, &path(&stage.sponsor)).await, own);
        // Nobody but sponsors and creators has one.
        let none = (404, "unknown_user");
        stage.api.unread_as(who, &path(&stage.admin), none).await;
        stage.api.unread_as(who, &path(&lookers[0]), none).await;
        stage.api.unread_as(who, "/v1/wallets/1", (400, "invalid_id")).await;
        stage.api.unread_as(who, MINE, (403, "forbidden")).await;
    }
    for who in [&lookers[2], &stage.sponsor, &stage.first] {
        stage
            .api
            .unread_as(who, &path(&stage.sponsor), (403, "forbidden"))
            .await;
    }
    let stranger = stage.api.stranger(Role::Creator);
    stage.api.unread_as(&stranger, MINE, (404, "unknown_user")).await;
    let empty = stage.api.read_as(&stage.rival, MINE).await;
    assert_eq!(
        (&empty["balance_vcoin"], &empty["transactions"]),
        (&json!("0.0000"), &json!([]))
    );
}
