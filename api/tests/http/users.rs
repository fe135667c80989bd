//! Users: registering under `--dev`, profiles, and how far an identity is checked.

use crate::campaigns::body;
use crate::people::Person;
use crate::stage::Stage;
use crate::support::{Answer, Api, TOKEN};
use serde_json::{Value, json};
use uuid::Uuid;
use viral_api::Role;
use viral_store::{EventStore, Position};

const DEV_USERS: &str = "/v1/dev/users";
const PROFILE: &str = "/v1/users/me/profile";

/// The operator, who is no user.
fn operator() -> Person {
    Person {
        id: viral_domain::UserId(Uuid::nil()),
        role: Role::Admin,
        token: TOKEN.to_owned(),
    }
}

#[tokio::test]
async fn every_role_registers_and_has_a_token_that_works() {
    let api = Api::for_development().await;
    for role in Role::ALL {
        let new = json!({"role": role.as_str(), "display_name": "Somebody", "bio": "Two\nlines.",
            "email": format!("{}@example.com", role.as_str()), "links": ["https://video.example/somebody"]});
        let registered = api.must_as(&operator(), "POST", DEV_USERS, &new, 201).await;
        let id: Uuid = registered["id"].as_str().unwrap().parse().unwrap();
        let token = registered["token"].as_str().unwrap().to_owned();
        assert!(
            token.starts_with(&format!("viral_dev_{}_{id}_", role.as_str())),
            "{token}"
        );
        assert_eq!(
            body(registered),
            json!({"id": id, "role": role.as_str(), "token": token})
        );
        let person = Person {
            id: viral_domain::UserId(id),
            role,
            token,
        };
        let profile = json!({"display_name": "Somebody else"});
        let changed = api.must_as(&person, "PUT", PROFILE, &profile, 200).await;
        assert_eq!(body(changed), json!({"id": id}));
    }
}

#[tokio::test]
async fn a_user_who_is_an_admin_registers_others() {
    let stage = Stage::new().await;
    let new = json!({"role": "auditor", "display_name": "An auditor"});
    stage.api.must_as(&stage.admin, "POST", DEV_USERS, &new, 201).await;
}

/// Wherever there are no tokens for developers, there is nothing at the path, whatever is sent there.
#[tokio::test]
async fn elsewhere_there_is_nothing_at_the_path() {
    let api = Api::new().await;
    let new = json!({"role": "creator", "display_name": "A creator"});
    for body in [new, json!({"nonsense": true})] {
        api.refused_as(&operator(), "POST", DEV_USERS, &body, (404, "not_found"))
            .await;
    }
    assert_eq!(api.head().await, 0);
}

#[tokio::test]
async fn who_cannot_be_registered() {
    let api = Api::for_development().await;
    let with = |field: &str, value: Value| {
        let mut body = json!({"role": "creator", "display_name": "A creator", "email": "first@example.com"});
        body[field] = value;
        body
    };
    api.must_as(&operator(), "POST", DEV_USERS, &with("bio", json!("")), 201)
        .await;
    for (field, value, why) in [
        ("role", json!("owner"), (400, "invalid_body")),
        ("role", json!("Creator"), (400, "invalid_body")),
        ("role", json!(null), (400, "invalid_body")),
        ("id", json!(Uuid::nil()), (400, "invalid_body")),
        ("display_name", json!(1), (400, "invalid_body")),
        ("links", json!("https://video.example"), (400, "invalid_body")),
        ("display_name", json!(""), (422, "invalid_profile")),
        ("display_name", json!("a\nb"), (422, "invalid_profile")),
        ("display_name", json!("x".repeat(321)), (422, "invalid_profile")),
        ("bio", json!("x".repeat(4_001)), (422, "invalid_profile")),
        ("email", json!("nobody"), (422, "invalid_profile")),
        (
            "links",
            json!(vec!["https://video.example"; 11]),
            (422, "invalid_profile"),
        ),
        ("bio", json!("another one with the same login"), (409, "login_taken")),
        ("email", json!(" FIRST@example.com"), (422, "invalid_profile")),
        ("email", json!("fir\u{200b}st@example.com"), (422, "invalid_profile")),
        ("email", json!("fi\u{308}rst@example.com"), (422, "invalid_profile")),
        ("display_name", json!("\u{200b}"), (422, "invalid_profile")),
        ("display_name", json!("\u{feff}"), (422, "invalid_profile")),
        ("display_name", json!("\u{3164}"), (422, "invalid_profile")),
        ("display_name", json!("a\u{202e}b"), (422, "invalid_profile")),
        ("links", json!(["javascript:alert(1)"]), (422, "invalid_profile")),
        ("links", json!(["data:text/html,x"]), (422, "invalid_profile")),
        ("links", json!(["file:///etc/passwd"]), (422, "invalid_profile")),
        (
            "links",
            json!(["https://me:secret@video.example"]),
            (422, "invalid_profile"),
        ),
        ("email", json!("FIRST@EXAMPLE.COM"), (409, "login_taken")),
    ] {
        api.refused_as(&operator(), "POST", DEV_USERS, &with(field, value), why)
            .await;
    }
}

#[tokio::test]
async fn profiles_cannot_say_everything() {
    let stage = Stage::new().await;
    for (profile, why) in [
        (json!({}), (400, "invalid_body")),
        (json!({"display_name": "A", "role": "admin"}), (400, "invalid_body")),
        (json!({"display_name": " "}), (422, "invalid_profile")),
        (json!({"display_name": "A", "email": "a b@c"}), (422, "invalid_profile")),
    ] {
        stage.api.refused_as(&stage.first, "PUT", PROFILE, &profile, why).await;
    }
    let profile = json!({"display_name": "A"});
    let stranger = stage.api.stranger(Role::Creator);
    for (who, why) in [(&operator(), (403, "forbidden")), (&stranger, (404, "unknown_user"))] {
        stage.api.refused_as(who, "PUT", PROFILE, &profile, why).await;
    }
}

#[tokio::test]
async fn an_admin_says_how_far_an_identity_is_checked() {
    let stage = Stage::new().await;
    let path = |id: &dyn std::fmt::Display| format!("/v1/admin/users/{id}/verification");
    let first = path(&stage.first.id);
    for state in ["pending", "rejected", "verified", "unverified"] {
        let change = json!({"verification_state": state});
        let changed = stage.api.must_as(&stage.admin, "POST", &first, &change, 200).await;
        let expected = json!({"id": stage.first.id.to_string(), "verification_state": state});
        assert_eq!(body(changed), expected);
    }
    let verified = json!({"verification_state": "verified"});
    let unchanged = json!({"verification_state": "unverified"});
    let (nobody, no_id) = (path(&Uuid::nil()), path(&"me"));
    for (path, change, why) in [
        (&first, &unchanged, (409, "verification_unchanged")),
        (&first, &json!({"verification_state": "sure"}), (400, "invalid_body")),
        (&first, &json!({"verification": "verified"}), (400, "invalid_body")),
        (&nobody, &verified, (404, "unknown_user")),
        (&no_id, &verified, (400, "invalid_id")),
    ] {
        stage.api.refused_as(&stage.admin, "POST", path, change, why).await;
    }
    let forbidden = (403, "forbidden");
    stage
        .api
        .refused_as(&stage.first, "POST", &first, &verified, forbidden)
        .await;
}

/// What a profile says is in no event, and in no answer to a write.
#[tokio::test]
async fn what_is_personal_stays_sealed() {
    let api = Api::for_development().await;
    let secrets = ["Quixotic Zebra", "zebra@example.com", "video.example/zebra"];
    let profile = json!({"display_name": secrets[0], "email": secrets[1], "links": [format!("https://{}", secrets[2])],
        "bio": secrets[0]});
    let mut new = profile.clone();
    new["role"] = "creator".into();
    let registered = api.post(DEV_USERS, new).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let person = Person {
        id: viral_domain::UserId(registered.id().parse().unwrap()),
        role: Role::Creator,
        token: registered.json()["token"].as_str().unwrap().to_owned(),
    };
    let changed = api.write_as(&person, "PUT", PROFILE, "k", &profile.to_string()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let events = api.store.read_after(Position::START, 100).await.unwrap();
    assert!(events.len() >= 3, "{events:?}");
    let mut texts: Vec<String> = events
        .into_iter()
        .map(|event| format!("{} {}", event.payload, event.metadata))
        .collect();
    texts.extend([registered, changed].map(|answer: Answer| answer.text));
    for text in texts {
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
    }
}
