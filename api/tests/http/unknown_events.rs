//! Events that a later version of the program wrote: nothing is decided past them, and everything else goes on.

use crate::stage::Stage;
use crate::support::Api;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;
use viral_commands::{NewEvent, Part, Settings, Unit, Writer};
use viral_store::{EventStore as _, Position, StoredEvent, StreamId};

/// Appends an event to the book as another program would.
async fn into_the_book(api: &Api, event_type: &'static str, version: &'static str) -> Position {
    let all = api.store.read_after(Position::START, usize::MAX).await.unwrap();
    let last = all.iter().rfind(|event| event.stream.aggregate_type == "book").unwrap();
    let event_id = Uuid::now_v7();
    let event = StoredEvent {
        position: Position(all.len() as u64 + 1),
        event_id,
        stream: last.stream.clone(),
        sequence: last.sequence + 1,
        event_type: event_type.into(),
        event_version: version.into(),
        payload: json!({"type": event_type}).to_string(),
        metadata: json!({"unitid": event_id.to_string()}).to_string(),
        recorded_at: last.recorded_at,
    };
    let locked = api.store.lock().await.unwrap();
    locked.append(std::slice::from_ref(&event)).await.unwrap();
    event.position
}

#[tokio::test]
async fn an_unknown_event_of_the_book_stops_deciding_and_not_reading() {
    for (event_type, version) in [("book.account_merged", "1"), ("book.transaction_posted", "2")] {
        let api = Api::with_money().await;
        let before = api.head().await;
        let unknown = into_the_book(&api, event_type, version).await;
        let refused = api.transfer("alice", "bob", "1.00").await;
        assert_eq!(refused.problem(), (503, "unknown_event".to_owned()));
        let problem = refused.json();
        assert_eq!(problem["position"], unknown.to_string());
        let detail = format!(
            "position {unknown}: {event_type} version {version} is not known to this version of the program: update it"
        );
        assert_eq!(problem["detail"], detail);
        assert_eq!(api.head().await, unknown.0, "nothing was appended");

        // What the book says now is not known; what it said before is, and so is every event.
        for path in ["/v1/ledger/accounts/alice/balance", "/v1/ledger/trial-balance"] {
            assert_eq!(
                api.get(path).await.problem(),
                (503, "unknown_event".to_owned()),
                "{path}"
            );
            let past = api.get_json(&format!("{path}?as_of={before}")).await;
            assert_eq!(past["position"], before.to_string());
        }
        let page = api.get_json(&format!("/v1/events?after={before}")).await;
        assert_eq!(page["events"][0]["type"], event_type);

        // A process that starts now can be asked the same.
        let (writer, _task) = Writer::start(Arc::new(api.store.as_ref().clone()), Settings::default())
            .await
            .unwrap();
        assert!(writer.read(|book, _| book.account_count()).await.is_err());
    }
}

#[tokio::test]
async fn what_depends_on_an_unknown_event_is_not_decided() {
    let stage = Stage::new().await;
    stage.buys("10.00").await;
    let (campaign, _) = stage.published(1).await;
    let fund = |amount: &'static str| {
        let path = format!("{campaign}/fund");
        let (api, sponsor) = (&stage.api, &stage.sponsor);
        async move { api.post_as(sponsor, &path, json!({"amount_vcoin": amount})).await }
    };
    let id = campaign.rsplit('/').next().unwrap().to_owned();
    let stream = StreamId::new("campaign", id);
    let known = stage.api.store.read_stream(&stream, 0, 100).await.unwrap();
    let event = json!({"type": "campaign.suspended"});
    let unit = Unit::new(
        Uuid::now_v7(),
        vec![Part::Events {
            stream,
            expected: known.len() as u64,
            events: vec![NewEvent::new("campaign.suspended", "1", &event).unwrap()],
        }],
    );
    let appended = stage.api.writer.append(unit).await.unwrap();
    let position = appended.events()[0].position;
    let refused = fund("1").await;
    assert_eq!(refused.problem(), (503, "unknown_event".to_owned()));
    assert_eq!(refused.json()["position"], position.to_string());
    // Others are none the wiser.
    stage.buys("1.00").await;
}
