//! Campaigns from draft to close, with work of every outcome.

use super::{FAR, Story, id, in_millis};
use reqwest::Method;
use serde_json::{Value, json};
use viral_tests::journey::Person;
use viral_tests::process::Call;

impl Story {
    /// V-Coin for the sponsors, and the campaign in which most happens.
    pub async fn campaigns(&mut self) {
        let [admin, sponsor, rival] = [&self.admin, &self.sponsor, &self.rival].map(Clone::clone);
        let on_ramp = "/v1/wallets/on-ramp";
        for (who, user, amount, entry) in [
            (&admin, Some(&sponsor), "150.00", "bank line 1"),
            (&sponsor, None, "33.33", "ch_ěšč 2"),
            (&rival, None, "20.00", "bank line 3"),
        ] {
            let mut body = json!({"fiat": {"amount": amount, "asset": "USD"}, "fiat_entry": entry});
            if let Some(user) = user {
                body["user_id"] = user.id.clone().into();
            }
            self.post(who, "wallet.on_ramp", on_ramp, body).await;
        }
        self.campaign = self.draft(&sponsor, "9000").await;
        let path = format!("/v1/campaigns/{}", self.campaign);
        for change in [
            json!({"title": "A better launch", "description": "First line\nsecond line: “quoted” – 3 €"}),
            json!({"budget_vcoin": "12000.5", "kpi_config": {"impressions": 1000.5, "deliverables": 3}}),
        ] {
            self.call(&sponsor, "campaign.edit", Method::PATCH, &path, change).await;
        }
        let first = self.mission(&sponsor, "100", 3, FAR).await;
        for amount in ["500", "8000.0001"] {
            self.fund(&sponsor, &path, amount).await;
        }
        let end = |verb: &str| format!("{path}/{verb}");
        self.post(&sponsor, "campaign.publish", &end("publish"), json!({}))
            .await;
        let late = json!({"reason": "the product is late"});
        self.post(&sponsor, "campaign.pause", &end("pause"), late).await;
        self.post(&sponsor, "campaign.publish", &end("publish"), json!({}))
            .await;
        self.post(&admin, "campaign.pause", &end("pause"), json!({})).await;
        self.post(&sponsor, "campaign.publish", &end("publish"), json!({}))
            .await;

        self.open_call(&sponsor, &first).await;
        self.work(&first).await;
        self.measurement().await;
        self.invitations(&sponsor).await;
    }

    async fn draft(&mut self, who: &Person, budget: &str) -> String {
        let body = json!({"type": "launch", "title": "A launch", "budget_vcoin": budget,
            "start_at": "2026-01-01T00:00:00+02:00", "end_at": FAR});
        id(&self.post(who, "campaign.create", "/v1/campaigns", body).await)
    }

    async fn fund(&mut self, who: &Person, campaign: &str, amount: &str) {
        let body = json!({"amount_vcoin": amount});
        self.post(who, "campaign.fund", &format!("{campaign}/fund"), body).await;
    }

    /// A mission in the campaign; answers its path.
    pub(super) async fn mission(&mut self, who: &Person, reward: &str, places: u32, deadline: &str) -> String {
        let body = json!({"mission_type": "video", "reward_vcoin": reward, "places": places, "deadline": deadline,
            "requirements": {"type": "object", "anyOf": [{"required": ["url"]}, {"required": ["stream_id"]}]}});
        let path = format!("/v1/campaigns/{}/missions", self.campaign);
        let added = self.post(who, "campaign.mission.add", &path, body).await;
        format!("/v1/missions/{}", id(&added))
    }

    pub(super) async fn open_call(&mut self, who: &Person, mission: &str) {
        let body = json!({"open_call": true});
        self.post(who, "mission.open", &format!("{mission}/assign"), body).await;
    }

    /// A creator joins a mission that is open; answers the path of the assignment.
    pub(super) async fn join(&mut self, who: &Person, mission: &str) -> String {
        let joined = self
            .post(who, "mission.join", &format!("{mission}/assign"), json!({}))
            .await;
        format!("/v1/assignments/{}", id(&joined))
    }

    pub(super) async fn deliver(&mut self, who: &Person, mission: &str, body: Value) {
        self.post(who, "mission.deliver", &format!("{mission}/deliverables"), body)
            .await;
    }

    pub(super) async fn review(&mut self, assignment: &str, body: Value) {
        let sponsor = self.sponsor.clone();
        let path = format!("{assignment}/review");
        self.post(&sponsor, "assignment.review", &path, body).await;
    }

    /// Work that is refused and handed in again, a place that is given back, and work that is paid at once.
    async fn work(&mut self, mission: &str) {
        let creators = self.creators.clone();
        let work = json!({"url": "https://video.example/first"});
        let one = self.join(&creators[0], mission).await;
        self.deliver(&creators[0], mission, work.clone()).await;
        let verdict = json!({"verdict": "reject", "reason": "příliš krátké"});
        self.review(&one, verdict).await;
        let details = json!({"language": "en", "length": 61, "tags": ["a", "ž"], "nested": {"b": null, "a": 1.5, "": 1e21, "c": 1e-7}});
        let better = json!({"url": "https://video.example/second", "details": details});
        self.deliver(&creators[0], mission, better).await;
        self.review(&one, json!({"verdict": "approve"})).await;

        let two = self.join(&creators[1], mission).await;
        let ill = json!({"reason": "ill"});
        self.post(&creators[1], "assignment.withdraw", &format!("{two}/withdraw"), ill)
            .await;
        let three = self.join(&creators[2], mission).await;
        self.deliver(&creators[2], mission, work).await;
        self.review(&three, json!({"verdict": "approve"})).await;
    }

    /// Measurements are no events: they are in the database alone.
    async fn measurement(&self) {
        let measured = json!({"platform": "youtube", "id": "v1", "campaign_id": self.campaign, "creator_id": self.creators[0].id,
            "timestamp": "2026-03-01T12:00:00Z", "impressions": 1000, "watch_time": 3600});
        let call = Call::post("/v1/engagement", json!({"measurements": [measured]}));
        self.operator.must(&self.api, call).await;
    }

    /// Invitations with every end: accepted, declined, void; and a deadline that passes.
    async fn invitations(&mut self, sponsor: &Person) {
        let creators = self.creators.clone();
        let mission = self.mission(sponsor, "250.5001", 3, FAR).await;
        let all = self.invite(&mission, &creators[..3]).await;
        self.post(
            &creators[0],
            "assignment.accept",
            &format!("{}/accept", all[0]),
            json!({}),
        )
        .await;
        self.deliver(
            &creators[0],
            &mission,
            json!({"stream_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"}),
        )
        .await;
        self.review(&all[0], json!({"verdict": "approve"})).await;
        let decline = format!("{}/decline", all[1]);
        self.post(
            &creators[1],
            "assignment.decline",
            &decline,
            json!({"reason": "no time"}),
        )
        .await;

        let closed = self.mission(sponsor, "10", 2, FAR).await;
        let void = self.invite(&closed, &creators[2..]).await;
        self.post(sponsor, "mission.close", &format!("{closed}/close"), json!({}))
            .await;
        for assignment in &void {
            self.until(assignment, "status", &"cancelled".into()).await;
        }

        let short = self.mission(sponsor, "20", 2, &in_millis(2_500)).await;
        let late = self.invite(&short, &creators[2..]).await;
        self.post(
            &creators[2],
            "assignment.accept",
            &format!("{}/accept", late[0]),
            json!({}),
        )
        .await;
        for assignment in &late {
            self.until(assignment, "status", &"expired".into()).await;
        }
        // Work that goes on, and work that waits for its review.
        let open = self.mission(sponsor, "30", 9, FAR).await;
        self.open_call(sponsor, &open).await;
        self.join(&creators[0], &open).await;
        self.join(&creators[3], &open).await;
        self.deliver(&creators[3], &open, json!({"url": "https://video.example/waits"}))
            .await;
    }

    /// Answers the paths of the assignments.
    async fn invite(&mut self, mission: &str, creators: &[Person]) -> Vec<String> {
        let sponsor = self.sponsor.clone();
        let ids: Vec<&String> = creators.iter().map(|creator| &creator.id).collect();
        let path = format!("{mission}/assign");
        let invited = self
            .post(&sponsor, "mission.invite", &path, json!({"creators": ids}))
            .await;
        let paths = invited["assignments"].as_array().unwrap().iter();
        paths
            .map(|assignment| format!("/v1/assignments/{}", id(assignment)))
            .collect()
    }

    /// A campaign that is closed while somebody works, and one in which nobody does.
    pub async fn ends(&mut self) {
        let (rival, creator) = (self.rival.clone(), self.creators[1].clone());
        for busy in [true, false] {
            self.campaign = self.draft(&rival, "500").await;
            let path = format!("/v1/campaigns/{}", self.campaign);
            let mission = self.mission(&rival, "25", 1, FAR).await;
            self.fund(&rival, &path, "100").await;
            self.post(&rival, "campaign.publish", &format!("{path}/publish"), json!({}))
                .await;
            self.open_call(&rival, &mission).await;
            let place = match busy {
                true => Some(self.join(&creator, &mission).await),
                false => None,
            };
            self.post(&rival, "campaign.close", &format!("{path}/close"), json!({}))
                .await;
            if let Some(place) = place {
                self.post(&creator, "assignment.withdraw", &format!("{place}/withdraw"), json!({}))
                    .await;
            }
        }
    }
}
