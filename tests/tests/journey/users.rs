//! Users as they are read: by themselves alone, with the profile in clear.

use crate::people::Person;
use crate::stage::Stage;
use crate::support::{Answer, Api};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use std::time::Duration;
use viral_api::Role;

const ME: &str = "/v1/users/me";

#[tokio::test]
async fn everybody_sees_their_own_user_as_it_is_now() {
    let api = Api::for_development().await;
    for role in Role::ALL {
        let created_at = api.now();
        let profile = json!({"display_name": "Somebody", "bio": "Two\nlines.", "links": ["https://video.example/1"],
            "email": format!("{}@example.com", role.as_str())});
        let mut new = profile.clone();
        new["role"] = role.as_str().into();
        let registered = api.post("/v1/dev/users", new).await;
        let person = Person {
            id: viral_domain::UserId(registered.id().parse().unwrap()),
            role,
            token: registered.json()["token"].as_str().unwrap().to_owned(),
        };
        let mut expected = json!({"id": registered.id(), "role": role.as_str(), "profile": profile,
            "verification_state": "unverified", "created_at": created_at});
        assert_eq!(api.read_as(&person, ME).await, expected);

        api.advance(Duration::from_secs(60));
        let profile = json!({"display_name": "Somebody else"});
        let changed = api
            .write_as(
                &person,
                "PUT",
                "/v1/users/me/profile",
                role.as_str(),
                &profile.to_string(),
            )
            .await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let path = format!("/v1/admin/users/{}/verification", person.id);
        let verified = api.post(&path, json!({"verification_state": "verified"})).await;
        assert_eq!(verified.status, 200, "{verified:?}");
        expected["profile"] = profile;
        expected["verification_state"] = "verified".into();
        assert_eq!(api.read_as(&person, ME).await, expected);
    }
}

#[tokio::test]
async fn a_token_without_a_user_has_nothing_to_see() {
    let api = Api::for_development().await;
    for role in Role::ALL {
        let stranger = api.stranger(role);
        api.unread_as(&stranger, ME, (404, "unknown_user")).await;
    }
}

/// A state that the caller has is not sent again, until something happens.
#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let stage = Stage::new().await;
    let ask = async |tag: &str| -> Answer {
        stage.api.caught_up().await;
        let request = Request::get(ME)
            .header("authorization", format!("Bearer {}", stage.first.token))
            .header("if-none-match", tag);
        stage.api.send(request.body(Body::empty()).unwrap()).await
    };
    let first = ask("W/\"0\"").await;
    assert_eq!(first.status, 200, "{first:?}");
    let tag = first.header("etag").unwrap().to_owned();
    let again = ask(&tag).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let profile = json!({"display_name": "Somebody else"}).to_string();
    let changed = stage
        .api
        .write_as(&stage.first, "PUT", "/v1/users/me/profile", "k", &profile)
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let changed = ask(&tag).await;
    assert_eq!(
        (changed.status, &changed.json()["profile"]["display_name"]),
        (200, &json!("Somebody else"))
    );
}

/// Whoever passes on the position of a write sees it, without waiting by itself.
#[tokio::test]
async fn a_user_sees_what_it_has_just_written() {
    let api = Api::for_development().await;
    for number in 0..20 {
        let creator = api.person(Role::Creator).await;
        let profile = json!({"display_name": format!("Number {number}")});
        let key = api.fresh_key();
        let changed = api
            .write_as(&creator, "PUT", "/v1/users/me/profile", &key, &profile.to_string())
            .await;
        let position = changed.header("viral-position").unwrap();
        let me = api.get_as(&creator, &format!("{ME}?min_position={position}")).await;
        assert_eq!((me.status, &me.json()["profile"]), (200, &profile), "{me:?}");
    }
    let creator = api.person(Role::Creator).await;
    let beyond = api.head().await + 1;
    let path = format!("{ME}?min_position={beyond}");
    api.unread_as(&creator, &path, (400, "position_beyond_head")).await;
}
