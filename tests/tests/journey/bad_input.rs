//! Whatever is asked or sent: an answer or a clear refusal, never a fault of the platform's, and nothing that a read
//! model could not take in.

use crate::people::Person;
use crate::stage::{Stage, id};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

/// Queries that no list expects, or that are at the bounds of what one can hold.
fn queries() -> Vec<String> {
    let mut queries: Vec<String> = [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=99999999999999999999999",
        "limit=1&limit=1",
        "cursor=",
        "cursor=zz",
        "cursor=%00",
        "cursor=%ff%fe",
        "type=",
        "type=%00",
        "type=x%00y",
        "type=%ff",
        "status=%00",
        "sponsor_id=%00",
        "campaign_id=%27%20OR%201=1",
        "min_score=-0",
        "min_score=256",
        "from=0000-01-01T00:00:00Z",
        "from=9999-12-31T23:59:59-23:59",
        "from=10000-01-01T00:00:00Z",
        "from=2026-12-31T23:59:60Z",
        "to=0000-01-01T00:00:00%2B23:59",
        "from=2027-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "after=18446744073709551615",
        "after=18446744073709551616",
        "min_position=0",
        "min_position=%00",
        "min_position=18446744073709551615",
        "unknown=1",
        "%00=%00",
        "&&&",
        "=",
    ]
    .map(str::to_owned)
    .into();
    queries.push(format!("type={}", "x".repeat(5_000)));
    let ids = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    for cursor in [
        format!("c/253402300799999999/{ids}"),
        format!("as/-62135596800000000/{ids}"),
        format!("p/-9223372036854775808/{ids}"),
        format!("f/255/253402300799999999/{ids}"),
        "ce/18446744073709551615".to_owned(),
        "s/253402300799999999/18446744073709551615/4294967295".to_owned(),
        "w/18446744073709551615/4294967295".to_owned(),
    ] {
        let hex: String = cursor.bytes().map(|byte| format!("{byte:02x}")).collect();
        queries.push(format!("cursor={hex}"));
    }
    queries
}

#[tokio::test]
async fn no_question_is_a_fault() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let assignment = stage.approved(&mission, &stage.first).await;
    let payout = stage.requested(&campaign, &stage.first, "1").await;
    let payout = format!("/v1/payouts/{}", payout["id"].as_str().unwrap());
    stage.api.caught_up().await;
    let of_campaign =
        ["", "/missions", "/assignments", "/events", "/statement"].map(|part| format!("{campaign}{part}"));
    let lists = ["/v1/campaigns", "/v1/payouts", "/v1/wallets/me", "/v1/users/me"].map(str::to_owned);
    let of_sponsor = of_campaign
        .into_iter()
        .chain(lists)
        .chain([mission, assignment, payout])
        .map(|path| (&stage.sponsor, path));
    let mut asked: Vec<(&Person, String)> = of_sponsor.collect();
    for path in ["/v1/campaigns", "/v1/creators/me/dashboard", "/v1/wallets/me"] {
        asked.push((&stage.first, path.to_owned()));
    }
    for path in ["/v1/admin/fraud", "/v1/events", "/v1/campaigns"] {
        asked.push((&stage.admin, path.to_owned()));
    }
    for (who, path) in asked {
        for query in queries() {
            let answer = stage.api.get_as(who, &format!("{path}?{query}")).await;
            let fine = answer.status == 200 || answer.problem().0 == 400;
            assert!(fine, "{path}?{query}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_path_is_a_fault() {
    let stage = Stage::new().await;
    for kind in [
        "campaigns",
        "missions",
        "assignments",
        "payouts",
        "wallets",
        "admin/fraud",
    ] {
        for id in [
            "%00",
            "%ff",
            "%2e%2e",
            "me%2f",
            "x",
            "0199A3C4-5D6E-7F80-9A1B-2C3D4E5F6071",
        ] {
            let answer = stage.api.get_as(&stage.admin, &format!("/v1/{kind}/{id}")).await;
            assert!((400..=404).contains(&answer.problem().0), "{kind} {id}: {answer:?}");
        }
    }
}

/// An object with one field changed.
fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut changed = object.clone();
    changed[field] = value;
    changed
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!({"a": inner}))
}

/// What is taken can be read back, and what is not leaves no event.
#[tokio::test]
async fn nothing_that_is_sent_is_a_fault() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let assignment = stage.accepted(&mission, &stage.first).await;
    let (brief, new_mission) = (stage.brief(), stage.mission(1));
    let deliverable = json!({"url": "https://video.example/1"});
    let texts = ["\0", "a\0b", "\u{7f}", "\u{202e}", "\u{feff}", "\u{ffff}", " ", "🎥"];
    let mut sent: Vec<(&Person, String, Value)> = Vec::new();
    for text in texts {
        for field in ["title", "type", "description"] {
            sent.push((
                &stage.sponsor,
                "/v1/campaigns".to_owned(),
                with(&brief, field, json!(text)),
            ));
        }
        let missions = format!("{campaign}/missions");
        sent.push((
            &stage.sponsor,
            missions.clone(),
            with(&new_mission, "mission_type", json!(text)),
        ));
        let schema = json!({"properties": {text: {"const": text}}});
        sent.push((&stage.sponsor, missions, with(&new_mission, "requirements", schema)));
        let work = format!("{mission}/deliverables");
        sent.push((
            &stage.first,
            work.clone(),
            with(&deliverable, "details", json!({text: text})),
        ));
        sent.push((
            &stage.first,
            work,
            json!({"url": format!("https://video.example/{text}")}),
        ));
        let profile = json!({"role": "creator", "display_name": text, "bio": text, "links": [text]});
        sent.push((&stage.admin, "/v1/dev/users".to_owned(), profile));
        let flag =
            json!({"source_type": "user", "source_id": stage.second.id.to_string(), "score": 1, "reasons": [text]});
        sent.push((&stage.admin, "/v1/admin/fraud".to_owned(), flag));
        let bought = json!({"fiat": {"amount": "1", "asset": text}, "fiat_entry": text, "user_id": stage.sponsor.id.to_string()});
        sent.push((&stage.admin, "/v1/wallets/on-ramp".to_owned(), bought));
    }
    for number in [
        json!(1e308),
        json!(1e-300),
        json!(u64::MAX),
        json!(-1),
        json!(1e16),
        json!(1e21),
        json!(0.1),
    ] {
        let targets = json!({"impressions": number});
        sent.push((
            &stage.sponsor,
            "/v1/campaigns".to_owned(),
            with(&brief, "kpi_config", targets),
        ));
        let details = with(&deliverable, "details", json!({"views": number}));
        sent.push((&stage.first, format!("{mission}/deliverables"), details));
    }
    for depth in [8, 9, 31, 33, 120, 126, 200] {
        let details = with(&deliverable, "details", nested(depth));
        sent.push((&stage.first, format!("{mission}/deliverables"), details));
    }
    for time in [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "9999-12-31T23:59:60Z",
        "10000-01-01T00:00:00Z",
    ] {
        for field in ["start_at", "end_at"] {
            sent.push((
                &stage.sponsor,
                "/v1/campaigns".to_owned(),
                with(&brief, field, json!(time)),
            ));
        }
        let late = with(&new_mission, "deadline", json!(time));
        sent.push((&stage.sponsor, format!("{campaign}/missions"), late));
    }
    for amount in [
        "100000000000000000000",
        "99999999999999999999.9999",
        "-1",
        "0",
        "1e3",
        "0.00001",
        "",
        "\0",
    ] {
        let budget = with(&brief, "budget_vcoin", json!(amount));
        sent.push((&stage.sponsor, "/v1/campaigns".to_owned(), budget));
        sent.push((
            &stage.sponsor,
            format!("{campaign}/fund"),
            json!({"amount_vcoin": amount}),
        ));
        let reward = with(&new_mission, "reward_vcoin", json!(amount));
        sent.push((&stage.sponsor, format!("{campaign}/missions"), reward));
        let payout = json!({"campaign_id": id(&campaign), "amount_vcoin": amount});
        sent.push((&stage.first, "/v1/wallets/payout".to_owned(), payout));
        let bought = json!({"fiat": {"amount": amount, "asset": "USD"}, "fiat_entry": format!("of {amount:?}").replace('\0', "0"),
            "user_id": stage.sponsor.id.to_string()});
        sent.push((&stage.admin, "/v1/wallets/on-ramp".to_owned(), bought));
    }
    let (mut taken, mut refused) = (0, 0);
    for (who, path, body) in sent {
        let head = stage.api.head().await;
        let answer = stage.api.post_as(who, &path, body.clone()).await;
        if answer.status < 300 {
            taken += 1;
        } else {
            refused += 1;
            assert!(answer.status < 500, "{path} {body}: {answer:?}");
            assert_eq!(stage.api.head().await, head, "{path} {body} left an event");
        }
    }
    assert!(taken > 20 && refused > 50, "{taken} taken, {refused} refused");
    stage.api.caught_up().await;
    for status in viral_projections::list(stage.api.store.pool(), stage.api.store.as_ref())
        .await
        .unwrap()
    {
        assert_eq!((status.parked, &status.problem), (0, &None), "{}", status.name);
    }
    for path in [
        "/v1/campaigns?limit=500",
        &format!("{campaign}/missions"),
        &assignment,
        &campaign,
    ] {
        stage.api.read_as(&stage.sponsor, path).await;
    }
}

/// A leap second is one moment for the log, the answer and the read model.
#[tokio::test]
async fn a_leap_second_is_the_same_everywhere() {
    let stage = Stage::new().await;
    let brief = with(&stage.brief(), "end_at", json!("2026-12-31T23:59:60Z"));
    let created = stage.api.post_as(&stage.sponsor, "/v1/campaigns", brief).await;
    let path = created.header("location").unwrap();
    let read = stage.api.read_as(&stage.sponsor, path).await;
    let end = json!("2027-01-01T00:00:00.000000Z");
    assert_eq!((&created.json()["end_at"], &read["end_at"]), (&end, &end));
}

/// Two users at one computer share its browser's cache, which asks with the tag of what the other one saw.
#[tokio::test]
async fn the_tag_of_another_is_not_ones_own() {
    let stage = Stage::new().await;
    let (campaign, _) = stage.published(1).await;
    stage.api.caught_up().await;
    for (one, other, path) in [
        (&stage.first, &stage.second, "/v1/users/me"),
        (&stage.sponsor, &stage.first, campaign.as_str()),
    ] {
        let seen = stage.api.get_as(one, path).await;
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", other.token))
            .header("if-none-match", seen.header("etag").unwrap());
        let own = stage.api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((own.status, own.text == seen.text), (200, false), "{path}: {own:?}");
    }
}
