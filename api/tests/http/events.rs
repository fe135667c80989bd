//! The log over HTTP: every event in its order, as its line.

use crate::stage::Stage;
use crate::support::Api;
use serde_json::json;
use viral_store::{EventStore, Position, line};

#[tokio::test]
async fn the_log_is_read_to_its_end_as_lines() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(1).await;
    stage.submitted(&mission, &stage.first).await;
    let stored = stage.api.store.read_after(Position::START, 1_000).await.unwrap();
    let lines: Vec<String> = stored
        .iter()
        .map(|event| line::to_line(event, stage.api.store.source()).unwrap())
        .collect();
    let (mut after, mut read) = ("0".to_owned(), Vec::new());
    loop {
        let answer = stage.api.get(&format!("/v1/events?after={after}&limit=3")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        assert_eq!(page["head"], stored.len().to_string());
        let events = page["events"].as_array().unwrap().clone();
        assert!(events.len() <= 3);
        for event in &events {
            // Byte for byte: the answer contains the line.
            let line = &lines[read.len()];
            assert!(answer.text.contains(line.as_str()), "{line}");
            read.push(event.clone());
        }
        let Some(last) = events.last() else { break };
        after = last["position"].as_str().unwrap().to_owned();
    }
    let positions: Vec<String> = read
        .iter()
        .map(|event| event["position"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (1..=stored.len()).map(|position| position.to_string()).collect();
    assert_eq!(positions, expected);
    // No name is in it.
    assert!(!lines.concat().contains("A creator"));
}

#[tokio::test]
async fn an_empty_log_and_what_is_beyond_the_end() {
    let api = Api::new().await;
    for query in ["", "?after=0", "?after=7", "?after=99999999999999999999999"] {
        let empty = json!({"events": [], "head": "0"});
        assert_eq!(api.get_json(&format!("/v1/events{query}")).await, empty, "{query}");
    }
    for (query, code) in [
        ("after=", "invalid_position"),
        ("after=-1", "invalid_position"),
        ("after=x", "invalid_position"),
        ("limit=0", "invalid_limit"),
        ("cursor=00", "invalid_query"),
    ] {
        let answer = api.get(&format!("/v1/events?{query}")).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{query}");
    }
}
