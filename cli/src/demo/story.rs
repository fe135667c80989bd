//! The story: a sponsor, two creators, a campaign with three missions, and what becomes of the money.

use super::teller::{Teller, in_seconds};
use crate::client::{Answer, Client};
use crate::error::Error;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Who plays a part.
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) id: String,
    pub(super) client: Client,
}

/// Everybody and everything that the story is about.
pub(super) struct Cast {
    pub(super) sponsor: Actor,
    pub(super) first: Actor,
    pub(super) second: Actor,
    pub(super) campaign: String,
}

/// Tells it from the first registration to the last payout.
pub(super) async fn tell(teller: &mut Teller) -> Result<Cast, Error> {
    let cast = open(teller).await?;
    let missions = prepare(teller, &cast).await?;
    rewarded_at_the_second_try(teller, &cast, &missions[0]).await?;
    by_open_call(teller, &cast, &missions[1]).await?;
    too_late(teller, &cast).await?;
    close(teller, &cast).await?;
    small_payout(teller, &cast).await?;
    large_payout_under_suspicion(teller, &cast).await?;
    Ok(cast)
}

async fn register(teller: &mut Teller, role: &str, name: &'static str) -> Result<Actor, Error> {
    let operator = teller.operator.clone();
    let body = json!({"role": role, "display_name": format!("{name} {}", teller.story)});
    let registered = teller
        .post(&operator, &format!("A {role} registers: {name}"), "/v1/dev/users", body)
        .await?;
    Ok(Actor {
        name,
        id: registered.text("id"),
        client: operator.with_token(&registered.text("token")),
    })
}

async fn open(teller: &mut Teller) -> Result<Cast, Error> {
    let sponsor = register(teller, "sponsor", "Sponsor").await?;
    let first = register(teller, "creator", "First creator").await?;
    let second = register(teller, "creator", "Second creator").await?;
    let entry = format!("demo-{}", teller.story);
    let body = json!({"fiat": {"amount": "50.00", "asset": "USD"}, "fiat_entry": entry});
    let what = "The sponsor buys V-Coin for 50.00 USD";
    teller.post(&sponsor.client, what, "/v1/wallets/on-ramp", body).await?;
    let body = json!({
        "type": "launch", "title": "A launch", "description": "Show the new thing.",
        "kpi_config": {"deliverables": 2, "impressions": 10_000}, "budget_vcoin": "4000",
        "start_at": in_seconds(0), "end_at": in_seconds(30 * DAY),
    });
    let campaign = teller
        .post(&sponsor.client, "The sponsor drafts a campaign", "/v1/campaigns", body)
        .await?;
    let campaign = campaign.text("id");
    Ok(Cast {
        sponsor,
        first,
        second,
        campaign,
    })
}

async fn prepare(teller: &mut Teller, cast: &Cast) -> Result<Vec<String>, Error> {
    let (sponsor, path) = (&cast.sponsor.client, format!("/v1/campaigns/{}", cast.campaign));
    let body = json!({"title": "The launch of the new thing"});
    teller
        .patch(sponsor, "The sponsor edits the title", &path, body)
        .await?;
    let requirements = json!({
        "type": "object", "required": ["hashtag"],
        "properties": {"hashtag": {"const": "#newthing"}},
    });
    let missions = [
        json!({"mission_type": "video", "requirements": requirements, "reward_vcoin": "400", "places": 2,
            "deadline": in_seconds(7 * DAY)}),
        json!({"mission_type": "stream", "reward_vcoin": "1500", "deadline": in_seconds(7 * DAY)}),
    ];
    let mut ids = Vec::new();
    for mission in missions {
        ids.push(add_mission(teller, cast, mission).await?);
    }
    teller
        .post(
            sponsor,
            "The sponsor publishes the campaign",
            &format!("{path}/publish"),
            json!({}),
        )
        .await?;
    let fund = format!("{path}/fund");
    let dry_run = format!("{fund}?dry_run=true");
    teller
        .post(
            sponsor,
            "A dry run of funding",
            &dry_run,
            json!({"amount_vcoin": "1000"}),
        )
        .await?;
    teller
        .post(
            sponsor,
            "The sponsor funds it with 1000",
            &fund,
            json!({"amount_vcoin": "1000"}),
        )
        .await?;
    teller
        .post(sponsor, "… and with 2000 more", &fund, json!({"amount_vcoin": "2000"}))
        .await?;
    let what = "5000 more are beyond the budget";
    teller
        .refused(sponsor, what, &fund, json!({"amount_vcoin": "5000"}), "budget_exceeded")
        .await?;
    Ok(ids)
}

async fn rewarded_at_the_second_try(teller: &mut Teller, cast: &Cast, mission: &str) -> Result<(), Error> {
    let (sponsor, creator) = (&cast.sponsor.client, &cast.first.client);
    let assign = format!("/v1/missions/{mission}/assign");
    let body = json!({"creators": [cast.first.id, cast.second.id]});
    let invited = teller
        .post(sponsor, "The sponsor invites both creators to the video", &assign, body)
        .await?;
    let of = |creator: &str| assignment_of(&invited, creator);
    let (first, second) = (of(&cast.first.id), of(&cast.second.id));
    let decline = format!("/v1/assignments/{second}/decline");
    let body = json!({"reason": "no time"});
    teller
        .post(&cast.second.client, "The second creator declines", &decline, body)
        .await?;
    let accept = format!("/v1/assignments/{first}/accept");
    teller
        .post(creator, "The first creator accepts: 400 are held", &accept, json!({}))
        .await?;
    let deliver = format!("/v1/missions/{mission}/deliverables");
    let body = json!({"url": "https://example.org/video/1"});
    let what = "The first creator forgets the hashtag";
    teller
        .refused(creator, what, &deliver, body, "requirements_not_met")
        .await?;
    let body = json!({"url": "https://example.org/video/1", "details": {"hashtag": "#newthing"}});
    teller
        .post(creator, "The first creator hands in a video", &deliver, body)
        .await?;
    let review = format!("/v1/assignments/{first}/review");
    let body = json!({"verdict": "reject", "reason": "the sound is missing"});
    teller
        .post(sponsor, "The sponsor rejects it: the hold is voided", &review, body)
        .await?;
    let body = json!({"url": "https://example.org/video/2", "details": {"hashtag": "#newthing"}});
    teller
        .post(
            creator,
            "The first creator hands in a better one: held again",
            &deliver,
            body,
        )
        .await?;
    let body = json!({"verdict": "approve"});
    teller
        .post(
            sponsor,
            "The sponsor approves: 380 to the creator, 20 are the fee",
            &review,
            body,
        )
        .await?;
    let body = json!({"verdict": "approve"});
    let what = "Approving twice pays nothing";
    teller
        .refused(sponsor, what, &review, body, "assignment_wrong_status")
        .await
}

async fn by_open_call(teller: &mut Teller, cast: &Cast, mission: &str) -> Result<(), Error> {
    let (sponsor, creator) = (&cast.sponsor.client, &cast.second.client);
    let assign = format!("/v1/missions/{mission}/assign");
    let what = "The sponsor opens the stream to every creator";
    teller.post(sponsor, what, &assign, json!({"open_call": true})).await?;
    let joined = teller
        .post(creator, "The second creator takes its one place", &assign, json!({}))
        .await?;
    teller
        .refused(
            &cast.first.client,
            "The first creator comes too late",
            &assign,
            json!({}),
            "mission_full",
        )
        .await?;
    let deliver = format!("/v1/missions/{mission}/deliverables");
    let body = json!({"url": "https://example.org/stream/1"});
    teller
        .post(creator, "The second creator hands in the stream", &deliver, body)
        .await?;
    let review = format!("/v1/assignments/{}/review", joined.text("id"));
    let what = "The sponsor approves: 1425 to the creator, 75 are the fee";
    teller
        .post(sponsor, what, &review, json!({"verdict": "approve"}))
        .await?;
    Ok(())
}

async fn add_mission(teller: &mut Teller, cast: &Cast, mission: Value) -> Result<String, Error> {
    let (sponsor, path) = (
        &cast.sponsor.client,
        format!("/v1/campaigns/{}/missions", cast.campaign),
    );
    let what = format!(
        "The sponsor adds a mission: a {} for {}",
        mission["mission_type"], mission["reward_vcoin"]
    );
    let added = teller.post(sponsor, &what.replace('"', ""), &path, mission).await?;
    Ok(added.text("id"))
}

async fn too_late(teller: &mut Teller, cast: &Cast) -> Result<(), Error> {
    let (sponsor, creator) = (&cast.sponsor.client, &cast.second.client);
    // Added only now: nothing but the next two steps has to happen in time, however slow the machine is.
    let mission = json!({"mission_type": "post", "reward_vcoin": "100", "deadline": in_seconds(5)});
    let mission = add_mission(teller, cast, mission).await?;
    let assign = format!("/v1/missions/{mission}/assign");
    let body = json!({"creators": [cast.second.id]});
    let invited = teller
        .post(
            sponsor,
            "The sponsor invites the second creator to the post",
            &assign,
            body,
        )
        .await?;
    let id = assignment_of(&invited, &cast.second.id);
    let accept = format!("/v1/assignments/{id}/accept");
    teller
        .post(creator, "The second creator accepts: 100 are held", &accept, json!({}))
        .await?;
    eprintln!("      … and does nothing until the deadline has passed");
    teller
        .wait(creator, &format!("/v1/assignments/{id}"), "status", "expired")
        .await?;
    eprintln!("      the platform has voided the hold");
    Ok(())
}

async fn close(teller: &mut Teller, cast: &Cast) -> Result<(), Error> {
    let (sponsor, path) = (&cast.sponsor.client, format!("/v1/campaigns/{}/close", cast.campaign));
    teller
        .post(
            sponsor,
            "A dry run of closing",
            &format!("{path}?dry_run=true"),
            json!({}),
        )
        .await?;
    let closed = teller
        .post(sponsor, "The sponsor closes the campaign", &path, json!({}))
        .await?;
    eprintln!("      {} went back to the sponsor", closed.text("returned_vcoin"));
    let fund = format!("/v1/campaigns/{}/fund", cast.campaign);
    let what = "Nobody can fund it any more";
    let body = json!({"amount_vcoin": "1"});
    teller
        .refused(sponsor, what, &fund, body, "campaign_wrong_status")
        .await
}

async fn request(teller: &mut Teller, cast: &Cast, creator: &Actor, amount: &str) -> Result<Answer, Error> {
    let body = json!({"campaign_id": cast.campaign, "amount_vcoin": amount});
    let what = format!("{} asks for a payout of {amount}", creator.name);
    teller.post(&creator.client, &what, "/v1/wallets/payout", body).await
}

async fn small_payout(teller: &mut Teller, cast: &Cast) -> Result<(), Error> {
    let (sponsor, operator) = (&cast.sponsor.client, teller.operator.clone());
    let body = json!({"campaign_id": cast.campaign, "amount_vcoin": "380.0001"});
    let what = "The first creator asks for more than was earned";
    teller
        .refused(
            &cast.first.client,
            what,
            "/v1/wallets/payout",
            body,
            "payout_exceeds_earnings",
        )
        .await?;
    let requested = request(teller, cast, &cast.first, "380").await?;
    let path = format!("/v1/payouts/{}", requested.text("id"));
    let approve = format!("{path}/approve");
    let body = json!({"digest": "0".repeat(64)});
    let what = "The sponsor approves something else than was asked for";
    teller.refused(sponsor, what, &approve, body, "digest_mismatch").await?;
    let body = json!({"digest": requested.text("digest")});
    teller
        .post(sponsor, "The sponsor approves it by its digest", &approve, body)
        .await?;
    teller.wait(&operator, &path, "status", "submitted").await?;
    eprintln!("      the platform has handed it to whoever pays");
    settle(teller, &requested).await
}

async fn settle(teller: &mut Teller, requested: &Answer) -> Result<(), Error> {
    let operator = teller.operator.clone();
    let path = format!("/v1/admin/payouts/{}/outcome", requested.text("id"));
    let fiat = requested.body["fiat"]["amount"].as_str().unwrap_or_default().to_owned();
    let body = json!({"outcome": "settled", "provider_reference": format!("demo-{}", teller.story)});
    teller
        .post(
            &operator,
            &format!("The operator has seen {fiat} USD arrive"),
            &path,
            body,
        )
        .await?;
    Ok(())
}

async fn large_payout_under_suspicion(teller: &mut Teller, cast: &Cast) -> Result<(), Error> {
    let (sponsor, operator) = (&cast.sponsor.client, teller.operator.clone());
    let requested = request(teller, cast, &cast.second, "1200").await?;
    let path = format!("/v1/payouts/{}", requested.text("id"));
    let body = json!({
        "source_type": "user", "source_id": cast.second.id, "score": 70, "reasons": ["many views from one network"],
    });
    let what = "An admin suspects the second creator: the payout is held";
    let flag = teller.post(&operator, what, "/v1/admin/fraud", body).await?;
    let approve = format!("{path}/approve");
    let digest = json!({"digest": requested.text("digest")});
    let what = "While it is held nobody can approve it";
    teller
        .refused(sponsor, what, &approve, digest.clone(), "payout_held")
        .await?;
    let resolve = format!("/v1/admin/fraud/{}/resolve", flag.text("id"));
    let body = json!({"resolution": "dismiss", "note": "a school watched together"});
    teller
        .post(
            &operator,
            "The suspicion is dismissed: the payout is released",
            &resolve,
            body,
        )
        .await?;
    teller
        .post(
            sponsor,
            "The sponsor approves; above 1000 an admin must too",
            &approve,
            digest.clone(),
        )
        .await?;
    teller.post(&operator, "An admin approves", &approve, digest).await?;
    teller.wait(&operator, &path, "status", "submitted").await?;
    let outcome = format!("/v1/admin/payouts/{}/outcome", requested.text("id"));
    let body = json!({"outcome": "unknown", "reason": "the bank does not answer"});
    teller
        .post(
            &operator,
            "The operator does not know whether it arrived",
            &outcome,
            body,
        )
        .await?;
    settle(teller, &requested).await
}

fn assignment_of(invited: &Answer, creator: &str) -> String {
    let assignments = invited.body["assignments"].as_array().into_iter().flatten();
    let mut of_creator = assignments.filter(|assignment| assignment["creator_id"] == creator);
    let id = of_creator.next().and_then(|assignment| assignment["id"].as_str());
    id.unwrap_or_default().to_owned()
}
