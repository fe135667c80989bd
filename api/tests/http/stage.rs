//! The usual people and things, all of them made through the API: a sponsor with money, creators, a campaign.

use crate::people::Person;
use crate::support::Api;
use serde_json::{Value, json};
use uuid::Uuid;
use viral_api::Role;
use viral_commands::use_cases::SubmitPayout;
use viral_commands::{Caller, Request};
use viral_domain::PayoutId;

/// An API with people in it.
pub(crate) struct Stage {
    pub(crate) api: Api,
    pub(crate) admin: Person,
    pub(crate) sponsor: Person,
    /// Another sponsor, to whom nothing of this belongs.
    pub(crate) rival: Person,
    pub(crate) first: Person,
    pub(crate) second: Person,
}

impl Stage {
    pub(crate) async fn new() -> Stage {
        Stage::on(Api::for_development().await).await
    }

    pub(crate) async fn on(api: Api) -> Stage {
        Stage {
            admin: api.person(Role::Admin).await,
            sponsor: api.person(Role::Sponsor).await,
            rival: api.person(Role::Sponsor).await,
            first: api.person(Role::Creator).await,
            second: api.person(Role::Creator).await,
            api,
        }
    }

    /// Every role that looks at everything, but for the admin.
    pub(crate) fn lookers(&self) -> Vec<Person> {
        let roles = [Role::Auditor, Role::Compliance, Role::Analyst];
        roles.into_iter().map(|role| self.api.stranger(role)).collect()
    }

    /// The admin, who has seen the money come in, issues V-Coin to the sponsor, one for a cent.
    pub(crate) async fn buys(&self, dollars: &str) {
        let fiat_entry = format!("charge {}", self.api.fresh_key());
        let body = json!({"fiat": {"amount": dollars, "asset": "USD"}, "fiat_entry": fiat_entry,
            "user_id": self.sponsor.id.to_string()});
        let bought = self.api.post_as(&self.admin, "/v1/wallets/on-ramp", body).await;
        assert_eq!(bought.status, 201, "{bought:?}");
    }

    /// A campaign of three months.
    pub(crate) fn brief(&self) -> Value {
        json!({
            "type": "launch", "title": "A launch", "description": "Show it.\nTo everybody.",
            "kpi_config": {"deliverables": 2, "impressions": 100_000}, "budget_vcoin": "10000",
            "start_at": "2026-03-01T00:00:00Z", "end_at": "2026-06-01T02:00:00+02:00",
        })
    }

    /// The path of a draft.
    pub(crate) async fn draft(&self) -> String {
        let draft = self.api.post_as(&self.sponsor, "/v1/campaigns", self.brief()).await;
        assert_eq!(draft.status, 201, "{draft:?}");
        draft.header("location").unwrap().to_owned()
    }

    /// A mission whose work must be a link.
    pub(crate) fn mission(&self, places: u32) -> Value {
        json!({"mission_type": "video", "requirements": {"required": ["url"]}, "reward_vcoin": "500",
            "deadline": "2026-04-01T00:00:00Z", "places": places})
    }

    /// The paths of a published campaign with 5,000 V-Coin in its escrow, and of its mission.
    pub(crate) async fn published(&self, places: u32) -> (String, String) {
        self.buys("200").await;
        let campaign = self.draft().await;
        let missions = format!("{campaign}/missions");
        let mission = self.api.post_as(&self.sponsor, &missions, self.mission(places)).await;
        assert_eq!(mission.status, 201, "{mission:?}");
        self.does("fund", &campaign, json!({"amount_vcoin": "5000"}), 201).await;
        self.does("publish", &campaign, json!({}), 200).await;
        (campaign, mission.header("location").unwrap().to_owned())
    }

    /// Something that the sponsor must be able to do.
    pub(crate) async fn does(&self, what: &str, path: &str, body: Value, status: u16) -> Value {
        let answer = self.api.post_as(&self.sponsor, &format!("{path}/{what}"), body).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        answer.json()
    }

    /// The path of an invitation.
    pub(crate) async fn invited(&self, mission: &str, creator: &Person) -> String {
        let body = json!({"creators": [creator.id.to_string()]});
        let answer = self.does("assign", mission, body, 200).await;
        format!("/v1/assignments/{}", answer["assignments"][0]["id"].as_str().unwrap())
    }

    /// The path of an assignment whose creator takes part.
    pub(crate) async fn accepted(&self, mission: &str, creator: &Person) -> String {
        let assignment = self.invited(mission, creator).await;
        let accepted = self
            .api
            .post_as(creator, &format!("{assignment}/accept"), json!({}))
            .await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        assignment
    }

    /// The path of an assignment whose creator has handed in work.
    pub(crate) async fn submitted(&self, mission: &str, creator: &Person) -> String {
        let assignment = self.accepted(mission, creator).await;
        let body = json!({"url": "https://video.example/1"});
        let submitted = self
            .api
            .post_as(creator, &format!("{mission}/deliverables"), body)
            .await;
        assert_eq!(submitted.status, 201, "{submitted:?}");
        assignment
    }

    /// The path of an assignment whose work was approved: 475 V-Coin are earned.
    pub(crate) async fn approved(&self, mission: &str, creator: &Person) -> String {
        let assignment = self.submitted(mission, creator).await;
        self.does("review", &assignment, json!({"verdict": "approve"}), 200)
            .await;
        assignment
    }

    /// What a creator is answered who asks for a payout.
    pub(crate) async fn requested(&self, campaign: &str, creator: &Person, amount: &str) -> Value {
        let request = json!({"campaign_id": id(campaign), "amount_vcoin": amount});
        let answer = self.api.post_as(creator, "/v1/wallets/payout", request).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// The worker hands an approved payout to a person at a bank.
    pub(crate) async fn sent(&self, payout: &Value) {
        let case = SubmitPayout {
            payout: PayoutId(payout["id"].as_str().unwrap().parse().unwrap()),
            provider: "manual".to_owned(),
        };
        let request = Request::consequence("sent in a test", &[Uuid::now_v7().as_bytes()], None);
        let caller = Caller::system("payouts");
        self.api.commands.run(&caller, &request, &case).await.unwrap();
    }
}

/// The last part of a path.
pub(crate) fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}
