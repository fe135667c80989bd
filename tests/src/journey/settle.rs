//! The end of a race: open work is settled, the campaign is closed, and what the platform does by itself is waited for.

use super::book::Book;
use super::client::{Done, Person};
use super::people::Stage;
use crate::process::{Api, Call};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use viral_store::PostgresStore;

/// How long what follows by itself may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Closes the campaign of a stage, settles what is open in it, and waits until nothing is left to be done: no
/// invitation into a closed campaign, no approved payout that was not sent. Answers what was done for that.
pub async fn settle(stage: &Stage, api: &Api, store: &PostgresStore, book: &mut Book) -> Vec<Done> {
    let mut done = Vec::new();
    book.read_on(store).await;
    if !["closing", "closed"].contains(&book.campaigns.campaigns[&stage.campaign].status.as_str()) {
        let path = format!("/v1/campaigns/{}/close", stage.campaign);
        done.push(stage.sponsor.insist(api, &Call::post(path, json!({}))).await);
    }
    let places: Vec<String> = book.campaigns.campaigns[&stage.campaign]
        .places
        .keys()
        .cloned()
        .collect();
    for assignment in places {
        let (status, creator) = book.campaigns.assignments[&assignment].clone();
        let path = |end: &str| format!("/v1/assignments/{assignment}/{end}");
        let by = stage.creators.iter().find(|it| it.id == creator).unwrap();
        done.push(match status.as_str() {
            "submitted" => {
                let body = json!({"verdict": "approve"});
                stage.sponsor.insist(api, &Call::post(path("review"), body)).await
            }
            _ => by.insist(api, &Call::post(path("withdraw"), json!({}))).await,
        });
    }
    for done in &done {
        assert!(done.answer.status.is_success(), "{done:?}");
    }
    wait(stage, store, book).await;
    done
}

async fn wait(stage: &Stage, store: &PostgresStore, book: &mut Book) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        book.read_on(store).await;
        let own = |creator: &String| stage.creators.iter().any(|it| it.id == *creator);
        let invited = book
            .campaigns
            .assignments
            .values()
            .filter(|(what, of)| what == "invited" && own(of));
        let (invited, to_be_sent) = (invited.count(), book.campaigns.to_be_sent().len());
        if invited + to_be_sent == 0 {
            break;
        }
        let text = format!("{invited} invitations are open, {to_be_sent} payouts are not sent");
        assert!(Instant::now() < deadline, "after {PATIENCE:?} {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let campaign = &book.campaigns.campaigns[&stage.campaign];
    assert_eq!((campaign.status.as_str(), campaign.escrow), ("closed", 0));
}

/// All pages of a list.
pub async fn pages(api: &Api, who: &Person, path: &str) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = who.must(api, Call::get(format!("{path}?limit=500{cursor}"))).await;
        let next = page["next_cursor"].as_str().map(|next| format!("&cursor={next}"));
        pages.push(page);
        match next {
            Some(next) => cursor = next,
            None => return pages,
        }
    }
}
