//! An event that has had three versions, as none of the platform's has yet.

#![allow(unreachable_pub)] // what the macro makes is for types that others see

use super::*;
use serde::Deserialize;
use serde_json::json;

/// What is written now: the fee may be the sender's.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum NoteEvent {
    #[serde(rename = "note.sent")]
    Sent(Sent),
    #[serde(rename = "note.torn")]
    Torn(Torn),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    cents: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee_of: Option<String>,
    to: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Torn {}

/// The first version counted in whole units, and said of nobody that it was nobody.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum First {
    #[serde(rename = "note.sent")]
    Sent { to: Option<String>, units: u32 },
}

/// The second one counted in cents.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Second {
    #[serde(rename = "note.sent")]
    Sent { cents: u32, to: String },
}

fn in_cents(mut first: Value) -> Result<Value, String> {
    let units = first["units"].as_u64().ok_or("units is not a number")?;
    let fields = first.as_object_mut().ok_or("not an object")?;
    fields.remove("units");
    fields.insert("cents".to_owned(), json!(units * 100));
    fields.entry("to").and_modify(|to| {
        if to.is_null() {
            *to = json!("nobody");
        }
    });
    Ok(first)
}

crate::event_types!(NoteEvent {
    Sent => "note.sent" "3" [Older::of::<First>(in_cents), Older::of::<Second>(Ok)],
    Torn => "note.torn" "1",
});

fn sent(cents: u32, to: &str) -> NoteEvent {
    NoteEvent::Sent(Sent {
        cents,
        fee_of: None,
        to: to.to_owned(),
    })
}

#[test]
fn every_version_is_read_as_the_newest() {
    let first = r#"{"to":null,"type":"note.sent","units":7}"#;
    let second = r#"{"cents":700,"to":"a","type":"note.sent"}"#;
    let third = r#"{"cents":700,"fee_of":"b","to":"a","type":"note.sent"}"#;
    assert_eq!(read("note.sent", "1", first), Ok(sent(700, "nobody")));
    assert_eq!(read("note.sent", "2", second), Ok(sent(700, "a")));
    let NoteEvent::Sent(newest) = read("note.sent", "3", third).unwrap() else {
        panic!("another event");
    };
    assert_eq!(newest.fee_of.as_deref(), Some("b"));
    assert_eq!(sent(1, "a").version(), "3");
    assert_eq!(NoteEvent::Torn(Torn {}).version(), "1");
}

#[test]
fn each_version_keeps_the_spelling_of_its_writer() {
    let respelled = |version, payload| respelled::<NoteEvent>("note.sent", version, payload);
    // Nobody was `null` then; left out, it is not what the writer wrote.
    for payload in [
        r#"{"to":null,"type":"note.sent","units":7}"#,
        r#"{"type":"note.sent","units":7}"#,
    ] {
        let written = respelled("1", payload).unwrap().unwrap();
        assert_eq!(
            written,
            json!({"to": null, "type": "note.sent", "units": 7}),
            "{payload}"
        );
    }
    // The newest version is spelled by the event itself.
    assert!(respelled("3", r#"{"cents":1,"to":"a","type":"note.sent"}"#).is_none());
    assert!(respelled("9", "{}").is_none());
}

#[test]
fn what_a_later_program_wrote_is_told_from_what_is_broken() {
    let error = |event_type, version, payload| read::<NoteEvent>(event_type, version, payload).unwrap_err();
    for version in ["4", "0", "01", "x", ""] {
        let unknown = error("note.sent", version, "{}");
        assert!(
            matches!(unknown, DecodeError::UnknownVersion { .. }),
            "{version}: {unknown}"
        );
        assert!(unknown.is_unknown());
    }
    let unknown = error("note.burnt", "1", "{}");
    assert!(matches!(unknown, DecodeError::UnknownType { .. }) && unknown.is_unknown());
    assert_eq!(
        unknown.to_string(),
        "note.burnt version 1 is not known to this version of the program: update it"
    );
    for (event_type, version, payload) in [
        ("note.sent", "3", "{"),
        (
            "note.sent",
            "3",
            r#"{"cents":1,"to":"a","type":"note.sent","colour":"red"}"#,
        ),
        ("note.sent", "1", r#"{"to":"a","type":"note.sent"}"#),
        ("note.sent", "3", r#"{"type":"note.torn"}"#),
    ] {
        let broken = error(event_type, version, payload);
        assert!(!broken.is_unknown(), "{payload}: {broken}");
    }
}

#[test]
fn a_chain_with_a_step_missing_or_too_many_is_refused() {
    assert_eq!(check(NoteEvent::TYPES), Ok(()));
    let [sent, torn] = NoteEvent::TYPES else {
        panic!("two types")
    };
    let wrong = |version| check(&[EventType { version, ..*sent }, *torn]);
    assert!(wrong("2").is_err() && wrong("4").is_err() && wrong("one").is_err());
    assert!(check(&[*sent, *torn, *sent]).is_err());
}
