//! Payouts with every ending, and suspicions of fraud.

use super::{FAR, Story, id};
use serde_json::{Value, json};
use viral_tests::journey::Person;

impl Story {
    /// The third creator earns enough for a payout that an admin must approve, then everything happens to payouts.
    pub async fn payouts(&mut self) {
        let (sponsor, creator) = (self.sponsor.clone(), self.creators[2].clone());
        let mission = self.mission(&sponsor, "3000", 1, FAR).await;
        self.open_call(&sponsor, &mission).await;
        let assignment = self.join(&creator, &mission).await;
        self.deliver(&creator, &mission, json!({"url": "https://video.example/third"}))
            .await;
        self.review(&assignment, json!({"verdict": "approve"})).await;

        let large = self.request("1500.0099").await;
        self.approve(&sponsor, &large).await;
        self.approve(&self.admin.clone(), &large).await;
        self.sent(&large, 1).await;
        self.command(&["settle", &id(&large), "--reference", "bank line 77 – přiděleno"])
            .await;

        self.settled_or_not().await;
        self.refused(&sponsor).await;
    }

    /// What the bank says of a payout that was sent.
    async fn settled_or_not(&mut self) {
        let settled = self.sent_payout("10").await;
        self.outcome(
            &settled,
            json!({"outcome": "settled", "provider_reference": "po_1", "attempt": 1}),
        )
        .await;

        let unknown = self.sent_payout("11").await;
        self.outcome(&unknown, json!({"outcome": "unknown", "reason": "no answer"}))
            .await;
        self.outcome(&unknown, json!({"outcome": "settled"})).await;

        let again = self.sent_payout("12").await;
        self.command(&["unknown", &id(&again), "--attempt", "1", "--reason", "no answer"])
            .await;
        self.outcome(&again, json!({"outcome": "failed", "reason": "refused"}))
            .await;
        self.sent(&again, 2).await;
        self.outcome(&again, json!({"outcome": "settled"})).await;

        let hopeless = self.sent_payout("13").await;
        for attempt in 1..=3 {
            self.sent(&hopeless, attempt).await;
            let body = json!({"outcome": "failed", "reason": format!("attempt {attempt}"), "attempt": attempt});
            self.outcome(&hopeless, body).await;
        }
        let wrong = self.sent_payout("14").await;
        self.outcome(
            &wrong,
            json!({"outcome": "failed", "reason": "no such account", "final": true}),
        )
        .await;
        let lost = self.sent_payout("15").await;
        self.outcome(&lost, json!({"outcome": "unknown"})).await;
        self.outcome(&lost, json!({"outcome": "failed", "final": true})).await;

        // These stay as they are.
        self.sent_payout("16").await;
        let open = self.sent_payout("17").await;
        self.outcome(&open, json!({"outcome": "unknown", "reason": "no answer"}))
            .await;
    }

    /// Payouts that are not sent: rejected by the sponsor or an admin, cancelled, not yet approved.
    async fn refused(&mut self, sponsor: &Person) {
        let (admin, creator) = (self.admin.clone(), self.creators[2].clone());
        let rejected = self.request("20").await;
        let no = json!({"reason": "not now"});
        self.ends_payout(sponsor, &rejected, "reject", no.clone()).await;
        let cancelled = self.request("21").await;
        self.ends_payout(&creator, &cancelled, "cancel", json!({})).await;
        let large = self.request("1000.0001").await;
        self.approve(sponsor, &large).await;
        self.ends_payout(&admin, &large, "reject", no).await;
        let large = self.request("1000.0001").await;
        self.approve(sponsor, &large).await;
        self.ends_payout(&creator, &large, "cancel", json!({"reason": "too slow"}))
            .await;
        self.request("22").await;
    }

    /// Suspicions of all kinds: dismissed, confirmed, still open.
    pub async fn fraud(&mut self) {
        let creator = self.creators[2].clone();
        let held = self.request("30").await;
        let flag = self.flag("payout", &id(&held), 50).await;
        self.resolve(
            &flag,
            json!({"resolution": "dismiss", "note": "the views are real – ověřeno"}),
        )
        .await;
        self.ends_payout(&creator, &held, "cancel", json!({})).await;

        let campaign = self.campaign.clone();
        let flag = self.flag("campaign", &campaign, 0).await;
        let asked_later = self.request("31").await;
        assert_eq!(asked_later["held"], true, "{asked_later}");
        self.resolve(&flag, json!({"resolution": "dismiss"})).await;

        let flag = self.flag("user", &creator.id, 80).await;
        self.resolve(&flag, json!({"resolution": "dismiss"})).await;
        let flag = self.flag("user", &self.creators[1].id.clone(), 100).await;
        self.resolve(&flag, json!({"resolution": "confirm", "note": "seen\nit"}))
            .await;

        let assignments = format!("/v1/campaigns/{campaign}/assignments?status=submitted");
        let submitted = self.api.get(&assignments).await.body["assignments"][0].clone();
        self.flag("assignment", &id(&submitted), 60).await;
        self.flag("payout", &id(&asked_later), 33).await;
    }

    async fn request(&mut self, amount: &str) -> Value {
        let creator = self.creators[2].clone();
        let body = json!({"campaign_id": self.campaign, "amount_vcoin": amount});
        self.post(&creator, "payout.request", "/v1/wallets/payout", body).await
    }

    async fn approve(&mut self, who: &Person, payout: &Value) {
        let path = format!("/v1/payouts/{}/approve", id(payout));
        self.post(who, "payout.approve", &path, json!({"digest": payout["digest"]}))
            .await;
    }

    async fn ends_payout(&mut self, who: &Person, payout: &Value, verb: &str, body: Value) {
        let path = format!("/v1/payouts/{}/{verb}", id(payout));
        self.post(who, &format!("payout.{verb}"), &path, body).await;
    }

    /// A small payout that the workers have handed on.
    async fn sent_payout(&mut self, amount: &str) -> Value {
        let payout = self.request(amount).await;
        self.approve(&self.sponsor.clone(), &payout).await;
        self.sent(&payout, 1).await;
        payout
    }

    async fn sent(&self, payout: &Value, attempt: u64) {
        let path = format!("/v1/payouts/{}", id(payout));
        self.until(&path, "attempt", &attempt.into()).await;
        self.until(&path, "status", &"submitted".into()).await;
    }

    async fn outcome(&mut self, payout: &Value, body: Value) {
        let admin = self.admin.clone();
        let path = format!("/v1/admin/payouts/{}/outcome", id(payout));
        self.post(&admin, "payout.outcome", &path, body).await;
    }

    async fn flag(&mut self, kind: &str, source: &str, score: u8) -> Value {
        let body = json!({"source_type": kind, "source_id": source, "score": score, "reasons": ["odd", "divné"]});
        self.post(&self.admin.clone(), "fraud.raise", "/v1/admin/fraud", body)
            .await
    }

    async fn resolve(&mut self, flag: &Value, body: Value) {
        let path = format!("/v1/admin/fraud/{}/resolve", id(flag));
        self.post(&self.admin.clone(), "fraud.resolve", &path, body).await;
    }
}
