//! The ledger on its own: accounts, transactions, holds, periods.

use super::{FAR, Story, id, in_millis};
use serde_json::{Map, Value, json};

const ACCOUNTS: &str = "/v1/ledger/accounts";
const TRANSACTIONS: &str = "/v1/ledger/transactions";
const HOLDS: &str = "/v1/ledger/holds";

impl Story {
    pub async fn books(&mut self) {
        self.accounts().await;
        self.transactions().await;
        self.extremes().await;
        self.holds().await;
        for day in ["1992-12-31", "2024-02-29"] {
            let body = json!({"through": day});
            self.write("ledger.period.close", "/v1/ledger/periods/close", body)
                .await;
        }
        // After a closed period, and with an account that is frozen.
        self.transfer(
            "shop:bank",
            "shop:alice",
            "0.01",
            "USD",
            json!({"effective_at": "2024-03-01T00:00:00Z"}),
        )
        .await;
        self.change("shop:frozen", "freeze", json!({"reason": "stays so"}))
            .await;
    }

    async fn write(&mut self, operation: &str, path: &str, body: Value) -> Value {
        self.post(&self.operator.clone(), operation, path, body).await
    }

    async fn accounts(&mut self) {
        // Assets of four, two, none and three decimals, on both sides.
        for (account, asset, more) in [
            ("shop:bank", "USD", json!({"may_go_negative": true})),
            ("shop:alice", "USD", json!({})),
            (
                "shop:bob",
                "USD",
                json!({"normal_side": "credit", "may_go_negative": false}),
            ),
            ("shop:cash", "USD", json!({"normal_side": "debit"})),
            ("shop:frozen", "USD", json!({})),
            ("shop:empty", "EUR", json!({})),
            (
                "shop:yen-bank",
                "JPY",
                json!({"normal_side": "debit", "may_go_negative": true}),
            ),
            ("shop:yen", "JPY", json!({})),
            ("shop:dinar_bank", "KWD", json!({"may_go_negative": true})),
            ("shop:dinar", "KWD", json!({})),
            ("points:issued", "VCOIN", json!({"may_go_negative": true})),
            ("points:kept", "VCOIN", json!({})),
            ("points:most", "VCOIN", json!({})),
        ] {
            let mut body = json!({"account": account, "asset": asset});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            self.write("ledger.account.open", ACCOUNTS, body).await;
        }
        self.change("shop:frozen", "freeze", json!({"reason": "prověřuje se"}))
            .await;
        self.change("shop:frozen", "unfreeze", json!({})).await;
        self.change("shop:empty", "close", json!({"reason": "never used"}))
            .await;
    }

    async fn change(&mut self, account: &str, verb: &str, body: Value) {
        let operation = format!("ledger.account.{verb}");
        self.write(&operation, &format!("{ACCOUNTS}/{account}/{verb}"), body)
            .await;
    }

    async fn transfer(&mut self, debit: &str, credit: &str, amount: &str, asset: &str, more: Value) -> Value {
        let mut body = json!({"postings": [{"debit": debit, "credit": credit, "amount": amount, "asset": asset}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.write("ledger.transaction.post", TRANSACTIONS, body).await
    }

    async fn transactions(&mut self) {
        self.transfer(
            "shop:bank",
            "shop:alice",
            "1000",
            "USD",
            json!({"description": "top-up"}),
        )
        .await;
        self.transfer(
            "shop:cash",
            "shop:alice",
            "20.5",
            "USD",
            json!({"effective_at": "1993-07-01T12:00:00.123456+02:00"}),
        )
        .await;
        let words = json!({"code": "purchase", "description": "Kafe – „dobré“ ☕ 漢字", "reference": {"type": "order", "id": "č. 4711"},
            "metadata": {"kanál": "web ✓", "a": "", "Z": "\"quoted\" \\ end"}});
        let purchase = self.transfer("shop:alice", "shop:bob", "12.50", "USD", words).await;
        for (debit, credit, amount, asset) in [
            ("shop:alice", "shop:bob", "5", "USD"),
            ("shop:yen-bank", "shop:yen", "123456789", "JPY"),
            ("shop:dinar_bank", "shop:dinar", "0.001", "KWD"),
            ("points:issued", "points:kept", "999999999999999999.9999", "VCOIN"),
        ] {
            self.transfer(debit, credit, amount, asset, json!({})).await;
        }
        let posting = |debit: &str, credit: &str, amount: &str, asset: &str| json!({"debit": debit, "credit": credit, "amount": amount, "asset": asset});
        let many = json!({"code": "mixed", "effective_at": "2025-12-31T23:59:59.999999Z", "postings": [
            posting("shop:bank", "shop:bob", "1.01", "USD"),
            posting("shop:bob", "shop:alice", "0.5", "USD"),
            posting("shop:yen", "shop:yen-bank", "9", "JPY"),
            posting("shop:dinar_bank", "shop:dinar", "7.125", "KWD"),
        ]});
        let many = self.write("ledger.transaction.post", TRANSACTIONS, many).await;
        for (transaction, body) in [(purchase, json!({"reason": "vráceno"})), (many, json!({}))] {
            let path = format!("{TRANSACTIONS}/{}/reverse", id(&transaction));
            self.write("ledger.transaction.reverse", &path, body).await;
        }
    }

    /// As much, as long, as early and as late as is taken: whoever takes less one day must still read these.
    async fn extremes(&mut self) {
        let longest = format!("long:{}", "a".repeat(195));
        let body = json!({"account": longest, "asset": "VCOIN", "may_go_negative": true});
        self.write("ledger.account.open", ACCOUNTS, body).await;
        for (amount, at) in [
            ("99999999999999999999.9999", "1900-01-01T00:00:00Z"),
            ("0.0001", "9999-12-31T23:59:59.999999Z"),
        ] {
            let more = json!({"effective_at": at, "description": "š".repeat(1_000)});
            self.transfer(&longest, "points:most", amount, "VCOIN", more).await;
        }
        let posting = json!({"debit": "shop:bank", "credit": "shop:alice", "amount": "0.01", "asset": "USD"});
        let key = |number| format!("{number:0>64}");
        let metadata: Map<String, Value> = (0..64)
            .map(|number| (key(number), "x".repeat(15 * number).into()))
            .collect();
        let body = json!({"code": "many", "postings": vec![posting; 200], "metadata": metadata,
            "reference": {"type": "t".repeat(64), "id": "ř".repeat(200)}});
        self.write("ledger.transaction.post", TRANSACTIONS, body).await;
    }

    /// Holds that are captured in part and whole, voided, expired, and open.
    async fn holds(&mut self) {
        let part = self
            .hold(json!({"amount": "30", "reference": {"type": "order", "id": "1"}}))
            .await;
        let whole = self.hold(json!({"amount": "5", "expires_at": FAR})).await;
        for (hold, amount, more) in [
            (
                part,
                "25",
                json!({"code": "shipped", "description": "odesláno", "metadata": {"parcel": "1"}}),
            ),
            (whole, "5", json!({})),
        ] {
            let mut body =
                json!({"postings": [{"debit": "shop:alice", "credit": "shop:bob", "amount": amount, "asset": "USD"}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            self.write("ledger.hold.capture", &format!("{HOLDS}/{hold}/capture"), body)
                .await;
        }
        for reason in [json!({"reason": "out of stock"}), json!({})] {
            let hold = self.hold(json!({"amount": "7.77"})).await;
            self.write("ledger.hold.void", &format!("{HOLDS}/{hold}/void"), reason)
                .await;
        }
        let short = self.hold(json!({"amount": "8", "expires_at": in_millis(1_500)})).await;
        self.until(&format!("{HOLDS}/{short}"), "status", &"resolved".into())
            .await;
        self.hold(json!({"amount": "9"})).await;
        self.hold(json!({"amount": "10.01", "expires_at": FAR})).await;
    }

    async fn hold(&mut self, more: Value) -> String {
        let mut body = json!({"account": "shop:alice", "asset": "USD"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(&self.write("ledger.hold.place", HOLDS, body).await)
    }
}
