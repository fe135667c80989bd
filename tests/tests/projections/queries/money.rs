//! Wallets and statements: they say what the ledger says.

use super::super::world::Running;
use super::stage::{Stage, at, fields, id, json_of, vcoin};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;
use viral_commands::Caller;
use viral_domain::user::Role;
use viral_domain::{CampaignId, UserId, Vcoin, VcoinSum, effects};
use viral_projections::queries::{Entry, Statement, TransactionFilter, Wallet};

/// A sponsor who spent in two campaigns, over three months, and a creator who was paid.
struct Spending {
    stage: Stage,
    /// It goes on until the test ends, or stops it.
    running: Running,
    sponsor: Caller,
    creator: Caller,
    campaign: CampaignId,
    other: CampaignId,
}

async fn spending() -> Spending {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let other = stage.published(&sponsor, "Another", "700").await;
    let mission = stage
        .mission(&sponsor, campaign, "100", 9, "2026-06-01T00:00:00Z")
        .await;
    stage.wait_until("2026-02-01T00:00:00Z");
    stage.earn(&sponsor, mission, &creator).await;
    stage.wait_until("2026-02-15T00:00:00Z");
    stage.fund(&sponsor, campaign, "200.5").await;
    stage.wait_until("2026-03-01T00:00:00Z");
    let second = stage.mission(&sponsor, campaign, "50", 9, "2026-06-01T00:00:00Z").await;
    stage.earn(&sponsor, second, &creator).await;
    stage
        .accept(&sponsor, mission, &stage.user(Role::Creator, "worker").await)
        .await;
    stage.request_payout(&creator, campaign, "40").await;
    stage.caught_up().await;
    Spending {
        stage,
        running,
        sponsor,
        creator,
        campaign,
        other,
    }
}

impl Spending {
    async fn wallet(&self, who: &Caller, filter: &TransactionFilter) -> Wallet {
        let answer = self.stage.models.wallet(id(who), filter, None, 100).await.unwrap();
        answer.value.unwrap()
    }

    async fn statement(&self, from: Option<&str>, to: Option<&str>) -> Statement {
        let (from, to) = (from.map(at), to.map(at));
        let answer = self
            .stage
            .models
            .statement(self.campaign, from, to, None, 100)
            .await
            .unwrap();
        answer.value.unwrap().value
    }
}

/// Titles of campaigns come from another read model, which may be behind: the wallet is as of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_has_one_position() {
    let told = spending().await;
    let head = told.stage.caught_up().await;
    told.running.stop().await;
    let behind =
        "UPDATE projections SET position = position - 1, event_id = gen_random_uuid() WHERE name = 'campaigns'";
    viral_tests::server::run(&told.stage.database.superuser_url, behind)
        .await
        .unwrap();
    let filter = TransactionFilter::default();
    let answer = told
        .stage
        .models
        .wallet(id(&told.sponsor), &filter, None, 100)
        .await
        .unwrap();
    assert_eq!((answer.position, answer.value.unwrap().position), (head, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sponsors_wallet_is_that_of_the_ledger() {
    let told = spending().await;
    let (stage, sponsor) = (&told.stage, id(&told.sponsor));
    let head = stage.caught_up().await;
    let wallet = told.wallet(&told.sponsor, &TransactionFilter::default()).await;
    assert_eq!(wallet.position, head);
    assert_eq!(wallet.balance_vcoin, stage.balance(effects::wallet(sponsor)).await);
    let (first, second) = (effects::escrow(told.campaign), effects::escrow(told.other));
    let in_escrow = VcoinSum::from(stage.balance(first.clone()).await) + stage.balance(second).await;
    assert_eq!(in_escrow, wallet.escrow_vcoin);
    let names = [
        "account",
        "balance_vcoin",
        "held_vcoin",
        "available_vcoin",
        "in_payout_vcoin",
        "escrow_vcoin",
    ];
    let expected = json!({
        "account": format!("user:{sponsor}:wallet"), "balance_vcoin": "3099.5000", "held_vcoin": "0.0000",
        "available_vcoin": "3099.5000", "in_payout_vcoin": "0.0000", "escrow_vcoin": "1750.5000",
    });
    assert_eq!(fields(&wallet, &names), expected);
    let told_json = json_of(&wallet);
    assert_eq!(told_json["position"], head.to_string());
    assert_eq!(
        told_json["escrow"],
        json!([
            {"campaign_id": told.campaign, "title": "A launch", "balance_vcoin": "1050.5000", "held_vcoin": "100.0000"},
            {"campaign_id": told.other, "title": "Another", "balance_vcoin": "700.0000", "held_vcoin": "0.0000"},
        ])
    );
    assert_eq!(wallet.holds_total, 1);
    let names = [
        "account",
        "campaign_id",
        "amount_vcoin",
        "reference_type",
        "expires_at",
        "placed_at",
    ];
    let expected = json!({
        "account": first.to_string(), "campaign_id": told.campaign, "amount_vcoin": "100.0000",
        "reference_type": "assignment", "expires_at": null, "placed_at": "2026-03-01T00:00:00.000000Z",
    });
    assert_eq!(fields(&wallet.holds[0], &names), expected);
    assert_eq!(wallet.holds.len(), 1);
    let types: Vec<&str> = wallet.transactions.iter().map(|row| row.code.as_str()).collect();
    assert_eq!(types, ["fund", "fund", "fund", "on_ramp"]);
    let names = [
        "type",
        "amount_vcoin",
        "balance_after",
        "reference_type",
        "reference_id",
        "status",
        "effective_at",
        "posted_at",
        "posting",
    ];
    let expected = json!({
        "type": "fund", "amount_vcoin": "-200.5000", "balance_after": "3099.5000", "reference_type": "campaign",
        "reference_id": told.campaign, "status": "posted", "effective_at": "2026-02-15T00:00:00.000000Z",
        "posted_at": "2026-02-15T00:00:00.000000Z", "posting": "absent",
    });
    assert_eq!(fields(&wallet.transactions[0], &names), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creators_wallet_shows_what_is_on_its_way() {
    let told = spending().await;
    let wallet = told.wallet(&told.creator, &TransactionFilter::default()).await;
    assert_eq!(
        wallet.balance_vcoin,
        told.stage.balance(effects::wallet(id(&told.creator))).await
    );
    let names = [
        "balance_vcoin",
        "in_payout_vcoin",
        "escrow_vcoin",
        "escrow",
        "holds",
        "holds_total",
    ];
    let expected = json!({
        "balance_vcoin": "102.5000", "in_payout_vcoin": "40.0000", "escrow_vcoin": "0.0000", "escrow": [],
        "holds": [], "holds_total": 0,
    });
    assert_eq!(fields(&wallet, &names), expected);
    let moves: Vec<_> = wallet
        .transactions
        .iter()
        .map(|row| (row.code.as_str(), row.amount_vcoin))
        .collect();
    let expected = [("payout_request", "-40"), ("reward", "47.5"), ("reward", "95")];
    assert_eq!(moves, expected.map(|(code, amount)| (code, vcoin(amount))));
    let admin = told.stage.user(Role::Admin, "admin").await;
    told.stage.caught_up().await;
    for nobody in [id(&admin), UserId(Uuid::from_u128(1))] {
        let answer = told
            .stage
            .models
            .wallet(nobody, &TransactionFilter::default(), None, 10)
            .await
            .unwrap();
        assert_eq!(answer.value, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_filtered_and_paged() {
    let told = spending().await;
    let found = async |code: Option<&str>, from: Option<&str>, to: Option<&str>| {
        let filter = TransactionFilter {
            code: code.map(str::to_owned),
            from: from.map(at),
            to: to.map(at),
        };
        let whole = told.wallet(&told.sponsor, &filter).await.transactions;
        for limit in 1..=3 {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let answer = told
                    .stage
                    .models
                    .wallet(id(&told.sponsor), &filter, after, limit)
                    .await
                    .unwrap();
                let page = answer.value.unwrap();
                assert!(page.next.is_none() || page.transactions.len() == limit);
                paged.extend(page.transactions);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, whole, "pages of {limit}");
        }
        whole.iter().map(|row| row.amount_vcoin.to_string()).collect::<Vec<_>>()
    };
    let all = ["-200.5000", "-700.0000", "-1000.0000", "5000.0000"];
    assert_eq!(found(None, None, None).await, all);
    assert_eq!(found(Some("fund"), None, None).await, all[..3]);
    assert_eq!(found(Some("reward"), None, None).await, [""; 0]);
    assert_eq!(found(None, Some("2026-02-15T00:00:00Z"), None).await, all[..1]);
    assert_eq!(found(None, Some("2026-02-15T00:00:00.000001Z"), None).await, [""; 0]);
    assert_eq!(found(None, None, Some("2026-02-15T00:00:00Z")).await, all[1..]);
    assert_eq!(found(Some("fund"), None, Some("2026-02-15T00:00:00Z")).await, all[1..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_adds_up_to_the_ledger() {
    let told = spending().await;
    let statement = told.statement(None, None).await;
    let balance = told.stage.balance(effects::escrow(told.campaign)).await;
    assert_eq!(
        (statement.opening_balance, statement.closing_balance),
        (Vcoin::ZERO, balance)
    );
    let lines: Vec<_> = statement.entries.iter().map(line).collect();
    let expected = [
        ("fund", "1000.0000", "1000.0000"),
        ("reward", "-95.0000", "905.0000"),
        ("reward", "-5.0000", "900.0000"),
        ("fund", "200.5000", "1100.5000"),
        ("reward", "-47.5000", "1053.0000"),
        ("reward", "-2.5000", "1050.5000"),
    ];
    assert_eq!(
        lines,
        expected.map(|(code, amount, balance)| (code, amount.to_owned(), balance.to_owned()))
    );
    let names = [
        "campaign_id",
        "account",
        "asset",
        "opening_balance",
        "closing_balance",
        "held_vcoin",
    ];
    let expected = json!({
        "campaign_id": told.campaign, "account": format!("campaign:{}:escrow", told.campaign), "asset": "VCOIN",
        "opening_balance": "0.0000", "closing_balance": "1050.5000", "held_vcoin": "100.0000",
    });
    assert_eq!(fields(&statement, &names), expected);
    let entry = json_of(&statement.entries[1]);
    assert_eq!(entry["position"], statement.entries[1].position.to_string());
    assert_eq!(entry["effective_at"], "2026-02-01T00:00:00.000000Z");
    assert_eq!(
        (&entry["reference_type"], entry.get("posting")),
        (&json!("assignment"), None)
    );
    let nothing = CampaignId(Uuid::from_u128(1));
    assert_eq!(
        told.stage
            .models
            .statement(nothing, None, None, None, 10)
            .await
            .unwrap()
            .value,
        None
    );
}

fn line(entry: &Entry) -> (&str, String, String) {
    (&entry.code, entry.amount_vcoin.to_string(), entry.balance.to_string())
}

/// The end of a month is the beginning of the next, to the digit, however the months are cut and paged.
#[tokio::test(flavor = "multi_thread")]
async fn statements_of_months_join() {
    let told = spending().await;
    let whole = told.statement(None, None).await;
    let cuts = [
        None,
        Some("2026-02-01T00:00:00Z"),
        Some("2026-03-01T00:00:00Z"),
        Some("2026-04-01T00:00:00Z"),
        None,
    ];
    let (mut balance, mut entries) = (Vcoin::ZERO, Vec::new());
    for months in cuts.windows(2) {
        let statement = told.statement(months[0], months[1]).await;
        assert_eq!(statement.opening_balance, balance, "{months:?}");
        balance = statement.closing_balance;
        assert_eq!(
            statement.entries.last().map_or(balance, |entry| entry.balance),
            balance,
            "{months:?}"
        );
        entries.extend(statement.entries);
    }
    assert_eq!((entries, balance), (whole.entries.clone(), whole.closing_balance));
    for (from, to) in [
        (None, None),
        (Some("2026-02-01T00:00:00Z"), Some("2026-03-01T00:00:00Z")),
    ] {
        let whole = told.statement(from, to).await;
        for limit in 1..=4 {
            let paged = paged(&told, from.map(at), to.map(at), limit).await;
            assert_eq!(paged, whole.entries, "pages of {limit}");
        }
    }
}

async fn paged(told: &Spending, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>, limit: usize) -> Vec<Entry> {
    let (mut entries, mut after, mut balances) = (Vec::new(), None, None);
    loop {
        let answer = told
            .stage
            .models
            .statement(told.campaign, from, to, after, limit)
            .await
            .unwrap();
        let page = answer.value.unwrap().value;
        assert!(page.next.is_none() || page.entries.len() == limit);
        let ends = (page.opening_balance, page.closing_balance);
        assert_eq!(
            *balances.get_or_insert(ends),
            ends,
            "every page says the balances of the whole"
        );
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return entries;
        }
    }
}
