//! What happens in a log that is kept: something of every kind, through the API of the running platform. What stays open
//! at the end is not due for centuries, so that nothing follows by itself when the log is taken up again.

mod books;
mod campaigns;
mod payouts;

use super::fixture::{Asked, Requests};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;
use viral_tests::journey::{Person, id, in_millis, operator};
use viral_tests::process::{Api, Call, TOKEN, run, viral};

/// Far enough for everything that is not to be over.
const FAR: &str = "2999-12-31T00:00:00Z";
/// How long what follows by itself may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is there, what was asked so far.
pub struct Story {
    api: Api,
    /// That of the platform.
    home: PathBuf,
    pub requests: Requests,
    operator: Person,
    admin: Person,
    sponsor: Person,
    rival: Person,
    creators: Vec<Person>,
    /// The campaign in which most happens.
    campaign: String,
}

impl Story {
    /// Registers everybody.
    pub async fn begin(api: &Api, home: &Path) -> Story {
        let mut story = Story {
            api: api.clone(),
            home: home.to_owned(),
            requests: Requests::default(),
            operator: operator(),
            admin: operator(),
            sponsor: operator(),
            rival: operator(),
            creators: Vec::new(),
            campaign: String::new(),
        };
        story.admin = story
            .register(json!({"role": "admin", "display_name": "An admin"}))
            .await;
        let full = json!({"role": "sponsor", "display_name": "A sponsor – Ĺubové ‰ 広告 🎬", "email": "Sponsor@Fixture.example",
            "bio": "Line one\nline \"two\"\t\\", "links": ["https://sponsor.example/ünïcode?q=1&r=%20"]});
        story.sponsor = story.register(full).await;
        story.rival = story
            .register(json!({"role": "sponsor", "display_name": "Another sponsor"}))
            .await;
        for number in 1..=4 {
            let email = format!("creator-{number}@fixture.example");
            let creator = json!({"role": "creator", "display_name": format!("Creator {number}"), "email": email});
            let creator = story.register(creator).await;
            story.creators.push(creator);
        }
        for role in ["auditor", "compliance", "analyst"] {
            story
                .register(json!({"role": role, "display_name": format!("An {role}")}))
                .await;
        }
        story.identities().await;
        story
    }

    async fn register(&mut self, body: Value) -> Person {
        let answer = self.post(&operator(), "dev.user.register", "/v1/dev/users", body).await;
        Person {
            id: id(&answer),
            token: answer["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Profiles and verifications.
    async fn identities(&mut self) {
        let [first, second] = [0, 1].map(|n| self.creators[n].clone());
        for body in [
            json!({"display_name": "Creator 1", "bio": "Films things.", "links": ["https://video.example/1"]}),
            json!({"display_name": "Première créatrice", "email": "other@fixture.example"}),
        ] {
            self.put(&first, "user.profile.change", "/v1/users/me/profile", body)
                .await;
        }
        for (who, state) in [
            (&first, "pending"),
            (&first, "verified"),
            (&second, "rejected"),
            (&second, "unverified"),
        ] {
            let path = format!("/v1/admin/users/{}/verification", who.id);
            let body = json!({"verification_state": state});
            self.post(&self.admin.clone(), "user.verification.change", &path, body)
                .await;
        }
    }

    async fn post(&mut self, who: &Person, operation: &str, path: &str, body: Value) -> Value {
        self.call(who, operation, Method::POST, path, body).await
    }

    async fn put(&mut self, who: &Person, operation: &str, path: &str, body: Value) -> Value {
        self.call(who, operation, Method::PUT, path, body).await
    }

    /// Asks for something that must be done, and notes the answer.
    async fn call(&mut self, who: &Person, operation: &str, method: Method, path: &str, body: Value) -> Value {
        let number = self.requests.requests.len();
        // Keys of all kinds, up to the longest one.
        let key = match number % 4 {
            0 => format!("{number}"),
            1 => format!("{operation}:{number}~!\"#$%&'()*+,-./;<=>?@[\\]^_`{{|}}"),
            2 => format!("{number:0>255}"),
            _ => Uuid::now_v7().to_string(),
        };
        let call = Call {
            method,
            path: path.to_owned(),
            key,
            body,
        };
        let answer = who.call(&self.api, &call).await.answer;
        assert!(answer.status.is_success(), "{call:?}: {answer:?}");
        self.requests.tokens.insert(who.id.clone(), who.token.clone());
        self.requests.requests.push(Asked {
            principal: who.id.clone(),
            operation: operation.to_owned(),
            method: call.method.to_string(),
            path: call.path,
            key: call.key,
            body: call.body,
            status: answer.status.as_u16(),
            answer: answer.text,
            unit_id: Uuid::nil(),
            request_hash: String::new(),
        });
        answer.body
    }

    /// Reports what became of a payout, as somebody at a bank does.
    async fn command(&mut self, arguments: &[&str]) {
        let arguments = [&["payout"], arguments].concat();
        let mut command = viral(&self.home, &arguments);
        command.env("VIRAL_API_TOKEN", TOKEN);
        let (code, stdout, stderr) = run(command).await;
        assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
        self.requests
            .commands
            .push(arguments.iter().map(|text| (*text).to_owned()).collect());
    }

    /// Waits until a field of something is what follows by itself.
    async fn until(&self, path: &str, field: &str, value: &Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.api.get(path).await;
            if seen.body[field] == *value {
                return;
            }
            assert!(Instant::now() < deadline, "{path}: no {field} {value}: {seen:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
