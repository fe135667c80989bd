//! Who is there and what they have when a race begins.

use super::client::Person;
use crate::process::{Api, Call, TOKEN};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use std::sync::Mutex;

/// A mission that clients race for.
#[derive(Debug, Clone)]
pub struct Mission {
    /// Its id.
    pub id: String,
    /// Whether it takes everybody.
    pub open_call: bool,
}

/// What the clients know of each other's doings: ids from answers, as they might be mailed around.
#[derive(Debug, Default)]
pub struct Board {
    /// Assignments with the place of their creator in the list of creators.
    pub assignments: Vec<(String, usize)>,
    /// Payouts with their digests and the creator's place.
    pub payouts: Vec<(String, String, usize)>,
    /// Fraud flags.
    pub flags: Vec<String>,
}

/// A published campaign with missions and some money, its people, and what they know.
#[derive(Debug)]
pub struct Stage {
    /// Who runs the platform.
    pub operator: Person,
    /// Whose campaign it is.
    pub sponsor: Person,
    /// Who works in it.
    pub creators: Vec<Person>,
    /// The campaign.
    pub campaign: String,
    /// Its missions.
    pub missions: Vec<Mission>,
    /// How many times the usual money the sponsor has, and may spend here.
    pub wealth: u64,
    /// What is known.
    pub board: Mutex<Board>,
}

/// A payout that was asked for.
#[derive(Debug, Clone)]
pub struct Payout {
    /// Its id.
    pub id: String,
    /// What approvals are bound to.
    pub digest: Value,
}

/// A time so many milliseconds from now.
pub fn in_millis(millis: i64) -> String {
    (Utc::now() + chrono::Duration::milliseconds(millis)).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Missions by reward, places and whether they are open to all. A single place, few places, and one that the money
/// hardly suffices for.
const MISSIONS: [(&str, u32, bool); 5] = [
    ("25", 1, true),
    ("10.5001", 3, true),
    ("40", 5, true),
    ("7.7777", 8, false),
    ("90", 2, false),
];

impl Stage {
    /// Registers everybody, buys V-Coin and publishes a campaign.
    pub async fn set(api: &Api, creators: usize, wealth: u64) -> Stage {
        let operator = operator();
        let sponsor = register(api, &operator, "sponsor").await;
        let mut list = Vec::new();
        for _ in 0..creators {
            list.push(register(api, &operator, "creator").await);
        }
        let entry = format!("entry-{}", sponsor.id);
        let body = json!({"fiat": {"amount": format!("{}.00", 20 * wealth), "asset": "USD"}, "fiat_entry": entry});
        sponsor.must(api, Call::post("/v1/wallets/on-ramp", body)).await;
        let body = json!({
            "type": "race", "title": "A race", "budget_vcoin": (900 * wealth).to_string(),
            "start_at": in_millis(0), "end_at": in_millis(86_400_000),
        });
        let campaign = id(&sponsor.must(api, Call::post("/v1/campaigns", body)).await);
        let mut stage = Stage {
            operator,
            sponsor,
            creators: list,
            campaign,
            missions: Vec::new(),
            wealth,
            board: Mutex::default(),
        };
        for (reward, places, open_call) in MISSIONS {
            let id = stage.add_mission(api, reward, places, 3_600_000, open_call).await;
            stage.missions.push(Mission { id, open_call });
        }
        let path = format!("/v1/campaigns/{}", stage.campaign);
        stage
            .sponsor
            .must(api, Call::post(format!("{path}/publish"), json!({})))
            .await;
        let body = json!({"amount_vcoin": "300"});
        stage.sponsor.must(api, Call::post(format!("{path}/fund"), body)).await;
        stage
    }

    /// One more mission; answers its id.
    pub async fn add_mission(&self, api: &Api, reward: &str, places: u32, deadline_ms: i64, open: bool) -> String {
        let body = json!({
            "mission_type": "video", "reward_vcoin": reward, "places": places, "deadline": in_millis(deadline_ms),
        });
        let path = format!("/v1/campaigns/{}/missions", self.campaign);
        let mission = id(&self.sponsor.must(api, Call::post(path, body)).await);
        if open {
            let body = json!({"open_call": true});
            let path = format!("/v1/missions/{mission}/assign");
            self.sponsor.must(api, Call::post(path, body)).await;
        }
        mission
    }
}

impl Stage {
    /// A creator works on a mission made for it, which pays so much, the fee included.
    pub async fn employ(&self, api: &Api, creator: &Person, reward: &str) {
        let path = format!("/v1/campaigns/{}/fund", self.campaign);
        self.sponsor
            .must(api, Call::post(path, json!({"amount_vcoin": reward})))
            .await;
        let mission = self.add_mission(api, reward, 1, 3_600_000, true).await;
        let path = |end: &str| format!("/v1/missions/{mission}/{end}");
        let joined = creator.must(api, Call::post(path("assign"), json!({}))).await;
        let body = json!({"url": "https://example.org/work"});
        creator.must(api, Call::post(path("deliverables"), body)).await;
        let path = format!("/v1/assignments/{}/review", id(&joined));
        self.sponsor
            .must(api, Call::post(path, json!({"verdict": "approve"})))
            .await;
    }

    /// A creator asks for a payout.
    pub async fn ask(&self, api: &Api, creator: &Person, amount: &str) -> Payout {
        let body = json!({"campaign_id": self.campaign, "amount_vcoin": amount});
        let asked = creator.must(api, Call::post("/v1/wallets/payout", body)).await;
        Payout {
            id: id(&asked),
            digest: asked["digest"].clone(),
        }
    }

    /// The sponsor approves a payout.
    pub async fn approve(&self, api: &Api, payout: &Payout) {
        let path = format!("/v1/payouts/{}/approve", payout.id);
        self.sponsor
            .must(api, Call::post(path, json!({"digest": payout.digest})))
            .await;
    }
}

/// Who runs the platform of a test.
pub fn operator() -> Person {
    Person {
        id: "operator".to_owned(),
        token: TOKEN.to_owned(),
    }
}

/// Somebody new.
pub async fn register(api: &Api, operator: &Person, role: &str) -> Person {
    let body = json!({"role": role, "display_name": "Somebody"});
    let answer = operator.must(api, Call::post("/v1/dev/users", body)).await;
    Person {
        id: id(&answer),
        token: answer["token"].as_str().unwrap().to_owned(),
    }
}

/// The id in an answer.
pub fn id(body: &Value) -> String {
    body["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id in {body}"))
        .to_owned()
}
