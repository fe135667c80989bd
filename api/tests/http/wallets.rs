//! Buying V-Coin, on a developer's machine and elsewhere.

use crate::campaigns::body;
use crate::stage::Stage;
use crate::support::Api;
use serde_json::{Value, json};
use uuid::Uuid;
use viral_api::Role;

const ON_RAMP: &str = "/v1/wallets/on-ramp";

fn purchase(amount: &str, fiat_entry: &str) -> Value {
    json!({"fiat": {"amount": amount, "asset": "USD"}, "fiat_entry": fiat_entry})
}

async fn balance(api: &Api, user: &impl std::fmt::Display) -> String {
    api.balance(&format!("user:{user}:wallet")).await
}

#[tokio::test]
async fn a_sponsor_buys_for_itself_where_the_platform_is_tried_out() {
    let stage = Stage::new().await;
    let mut bought = stage
        .api
        .must_as(&stage.sponsor, "POST", ON_RAMP, &purchase("50.5", "ch_1"), 201)
        .await;
    for id in ["id", "transaction_id"] {
        let id = bought.as_object_mut().unwrap().remove(id).unwrap();
        assert!(Uuid::try_parse(id.as_str().unwrap()).is_ok());
    }
    let expected = json!({"user_id": stage.sponsor.id.to_string(), "fiat": {"amount": "50.50", "asset": "USD"},
        "fiat_entry": "ch_1", "rate": "0.01", "amount_vcoin": "5050.0000"});
    assert_eq!(body(bought), expected);
    assert_eq!(balance(&stage.api, &stage.sponsor.id).await, "5050.0000");
    assert_eq!(stage.api.balance("platform:usd:backing").await, "50.50");
}

#[tokio::test]
async fn elsewhere_an_admin_says_for_whom() {
    let api = Api::with_tokens().await;
    let (admin, sponsor) = (api.person(Role::Admin).await, api.person(Role::Sponsor).await);
    let own = purchase("10", "ch_1");
    let by_admin_only = (403, "on_ramp_by_admin_only");
    api.refused_as(&sponsor, "POST", ON_RAMP, &own, by_admin_only).await;
    let mut for_sponsor = own.clone();
    for_sponsor["user_id"] = sponsor.id.to_string().into();
    api.must_as(&admin, "POST", ON_RAMP, &for_sponsor, 201).await;
    assert_eq!(balance(&api, &sponsor.id).await, "1000.0000");
    // An entry counts once, whoever brings it and for whomever.
    for_sponsor["fiat"]["amount"] = "11".into();
    let used = (409, "fiat_entry_used");
    api.refused_as(&admin, "POST", ON_RAMP, &for_sponsor, used).await;
}

#[tokio::test]
async fn what_does_not_buy_anything() {
    let stage = Stage::new().await;
    let with = |field: &str, value: Value| {
        let mut body = purchase("10", "ch_1");
        body[field] = value;
        body
    };
    let fiat = |amount: Value, asset: &str| with("fiat", json!({"amount": amount, "asset": asset}));
    let rival = stage.rival.id.to_string();
    for (purchase, why) in [
        (fiat(json!(10), "USD"), (400, "invalid_amount")),
        (fiat(json!("ten"), "USD"), (400, "invalid_amount")),
        (fiat(json!("1.001"), "USD"), (400, "too_many_digits")),
        (fiat(json!("1".repeat(30)), "USD"), (400, "amount_out_of_range")),
        (fiat(json!("1"), "Dollars"), (422, "unknown_asset")),
        (fiat(json!("1"), "EUR"), (422, "wrong_currency")),
        (fiat(json!("0"), "USD"), (422, "amount_not_positive")),
        (fiat(json!("-1"), "USD"), (422, "amount_not_positive")),
        (
            with("fiat", json!({"amount": "1", "asset": "USD", "rate": "1"})),
            (400, "invalid_body"),
        ),
        (with("fiat", json!("10 USD")), (400, "invalid_body")),
        (with("rate", json!("1")), (400, "invalid_body")),
        (with("fiat_entry", json!("")), (422, "invalid_text")),
        (with("fiat_entry", json!(" ch_1")), (422, "invalid_text")),
        (with("fiat_entry", json!("ch\u{200b}_1")), (422, "invalid_text")),
        (with("fiat_entry", json!("ch\u{a0}1")), (422, "invalid_text")),
        (with("fiat_entry", json!("ch\u{ad}_1")), (422, "invalid_text")),
        (with("fiat_entry", json!("cafe\u{301}")), (422, "invalid_text")),
        (with("user_id", json!("me")), (400, "invalid_id")),
        (with("user_id", json!(rival)), (422, "unknown_user")),
    ] {
        stage
            .api
            .refused_as(&stage.sponsor, "POST", ON_RAMP, &purchase, why)
            .await;
    }
    let admin = &stage.admin;
    let nobody = purchase("10", "ch_1");
    stage
        .api
        .refused_as(admin, "POST", ON_RAMP, &nobody, (400, "invalid_body"))
        .await;
    for no_wallet in [admin.id.to_string(), Uuid::nil().to_string()] {
        let purchase = with("user_id", json!(no_wallet));
        stage
            .api
            .refused_as(admin, "POST", ON_RAMP, &purchase, (422, "unknown_user"))
            .await;
    }
    assert_eq!(balance(&stage.api, &stage.sponsor.id).await, "0.0000");
}
