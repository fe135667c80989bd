//! The schemas, the types and an example of every event say the same.

use super::*;
use crate::attributes::EXAMPLES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use viral_domain::acceptance::AcceptanceEvent;
use viral_domain::assignment::AssignmentEvent;
use viral_domain::campaign::CampaignEvent;
use viral_domain::fraud_flag::FraudFlagEvent;
use viral_domain::on_ramp::OnRampEvent;
use viral_domain::payout::PayoutEvent;
use viral_domain::user::{LoginEvent, UserEvent};
use viral_store::line;

/// Reads an event as the platform does, and writes it again.
fn again(aggregate_type: &str, json: &Value) -> Result<Value, String> {
    match aggregate_type {
        BookEvent::AGGREGATE_TYPE => through(json, BookEvent::event_type),
        ReversalEvent::AGGREGATE_TYPE => through(json, ReversalEvent::event_type),
        Acceptances::TYPE => through(json, AcceptanceEvent::event_type),
        Assignment::TYPE => through(json, AssignmentEvent::event_type),
        Campaign::TYPE => through(json, CampaignEvent::event_type),
        FraudFlag::TYPE => through(json, FraudFlagEvent::event_type),
        Login::TYPE => through(json, LoginEvent::event_type),
        OnRamp::TYPE => through(json, OnRampEvent::event_type),
        Payout::TYPE => through(json, PayoutEvent::event_type),
        User::TYPE => through(json, UserEvent::event_type),
        other => panic!("{other}"),
    }
}

fn through<E: Serialize + DeserializeOwned>(
    json: &Value,
    event_type: impl Fn(&E) -> &'static str,
) -> Result<Value, String> {
    let event: E = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    assert_eq!(json["type"], event_type(&event), "the JSON is tagged by the type");
    serde_json::to_value(event).map_err(|error| error.to_string())
}

/// Example lines by the type of their event.
fn examples() -> BTreeMap<String, Vec<Value>> {
    let mut examples: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (text, position) in EXAMPLES.lines().zip(1..) {
        let line::Line { event, .. } = line::parse(text).unwrap_or_else(|e| panic!("example {position}: {e}"));
        assert_eq!(event.position.0, position, "the examples are numbered");
        let example = serde_json::from_str(text).unwrap();
        examples.entry(event.event_type.into_owned()).or_default().push(example);
    }
    examples
}

/// The schemas say what the types read and write: no more, since every field that is not there is refused, and no less.
#[test]
fn every_event_has_an_example_that_fits_its_schema_and_its_type() {
    let mut examples = examples();
    for event_type in all() {
        let schema = jsonschema::draft202012::new(&event_type.schema).unwrap();
        let examples = examples.remove(&event_type.name).unwrap_or_default();
        assert!(
            !examples.is_empty(),
            "no example for {} in schemas/examples.jsonl",
            event_type.name
        );
        for line in examples {
            assert_eq!(
                (&line["dataschema"], &line["aggregatetype"]),
                (&json!(event_type.schema_id()), &json!(event_type.aggregate_type))
            );
            let event = &line["data"];
            let errors: Vec<String> = schema.iter_errors(event).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{event}: {errors:?}");
            assert_eq!(again(event_type.aggregate_type, event).as_ref(), Ok(event));
            for altered in alterations(event) {
                let accepted = schema.is_valid(&altered);
                let read = again(event_type.aggregate_type, &altered);
                assert_eq!(accepted, read.is_ok(), "{altered}: the type says {read:?}");
            }
        }
    }
    assert!(examples.is_empty(), "of no event: {examples:?}");
}

/// The event with a field too many, and with each field missing or null.
fn alterations(event: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut more = event.clone();
    more["surprise"] = json!(1);
    all.push(more);
    for field in event.as_object().unwrap().keys().filter(|field| *field != "type") {
        let mut less = event.clone();
        less.as_object_mut().unwrap().remove(field);
        let mut empty = event.clone();
        empty[field] = Value::Null;
        all.extend([less, empty]);
    }
    all
}

#[test]
fn every_type_has_a_name_of_its_own_and_is_described() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    for event in &all {
        assert_eq!(event.name.split_once('.').unwrap().0, event.aggregate_type);
        assert!(
            event.description.ends_with('.') && !event.description.contains('\n'),
            "{event:?}"
        );
    }
}

#[test]
fn every_schema_is_one() {
    for (name, schema) in schemas() {
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
