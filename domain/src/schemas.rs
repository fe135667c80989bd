//! The JSON Schema of every event is checked in under `schemas/`, because others read our events for as long as there is
//! a log. These tests hold the schemas, the types and examples of all events together.

use crate::aggregate::DomainEvent;
use crate::assignment::AssignmentEvent;
use crate::campaign::CampaignEvent;
use crate::fraud_flag::FraudFlagEvent;
use crate::on_ramp::OnRampEvent;
use crate::payout::PayoutEvent;
use crate::user::{LoginEvent, UserEvent};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One event of each type, one a line.
const EXAMPLES: &str = include_str!("schemas/examples.jsonl");

/// All events of one aggregate.
struct Family {
    /// By file name.
    schemas: Vec<(String, Value)>,
    /// Reads an event and writes it again.
    again: fn(&Value) -> Result<Value, String>,
}

fn families() -> [Family; 7] {
    [
        family::<AssignmentEvent>(),
        family::<CampaignEvent>(),
        family::<FraudFlagEvent>(),
        family::<LoginEvent>(),
        family::<OnRampEvent>(),
        family::<PayoutEvent>(),
        family::<UserEvent>(),
    ]
}

fn family<E: DomainEvent + JsonSchema>() -> Family {
    let all = serde_json::to_value(schemars::schema_for!(E)).unwrap();
    let none = Map::new();
    let definitions = all.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let variants = all["oneOf"].as_array().unwrap();
    Family {
        schemas: variants
            .iter()
            .map(|variant| of_event::<E>(variant, definitions))
            .collect(),
        again: |json| {
            let event: E = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
            assert_eq!(json["type"], event.event_type(), "the JSON is tagged by the type");
            serde_json::to_value(event).map_err(|error| error.to_string())
        },
    }
}

fn of_event<E: DomainEvent>(variant: &Value, definitions: &Map<String, Value>) -> (String, Value) {
    let event_type = variant["properties"]["type"]["const"].as_str().unwrap();
    let version = E::VERSION;
    let mut used = BTreeSet::new();
    collect_used(variant, definitions, &mut used);
    let used: Map<String, Value> = used
        .iter()
        .map(|name| (name.clone(), definitions[name].clone()))
        .collect();
    let mut schema = variant.clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("urn:viral:event:{event_type}:{version}"));
    schema["title"] = json!(event_type);
    if !used.is_empty() {
        schema["$defs"] = Value::Object(used);
    }
    // The order of fields would depend on the features that other crates ask of serde_json.
    schema.sort_all_objects();
    (format!("{event_type}.{version}.json"), schema)
}

fn collect_used(schema: &Value, definitions: &Map<String, Value>, used: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                let name = name.trim_start_matches("#/$defs/");
                if used.insert(name.to_owned()) {
                    collect_used(&definitions[name], definitions, used);
                }
            }
            fields.values().for_each(|field| collect_used(field, definitions, used));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_used(item, definitions, used)),
        _ => {}
    }
}

/// The schema without what is only said to people: that may be worded better at any time.
fn without_words(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            // A property may be called "description"; it is an object, words are text.
            let words = |name: &str, value: &Value| ["description", "title"].contains(&name) && value.is_string();
            let kept = fields.iter().filter(|(name, value)| !words(name, value));
            kept.map(|(name, value)| (name.clone(), without_words(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_words).collect(),
        other => other.clone(),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("schemas")
}

#[test]
fn released_schemas_never_change() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some_and(|value| value == "1");
    let mut names = Vec::new();
    for (name, schema) in families().into_iter().flat_map(|family| family.schemas) {
        names.push(name.clone());
        let path = folder().join(&name);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let Ok(released) = std::fs::read_to_string(&path) else {
            assert!(
                update,
                "schemas/{name} is missing: write it with UPDATE_SCHEMAS=1 cargo test -p viral-domain schemas"
            );
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        };
        let parsed: Value = serde_json::from_str(&released).unwrap();
        if parsed == schema {
            continue;
        }
        assert_eq!(
            without_words(&parsed),
            without_words(&schema),
            "the event no longer matches schemas/{name}. A released schema never changes, since events of it are \
             stored for ever: leave the old type as it is, add a new version of the event and an upcaster. Only a \
             schema that was never released may be deleted and written again with UPDATE_SCHEMAS=1."
        );
        assert!(
            update,
            "schemas/{name} differs in its words only: write it with UPDATE_SCHEMAS=1 cargo test -p viral-domain schemas"
        );
        std::fs::write(&path, text).unwrap();
    }
    let files = std::fs::read_dir(folder()).unwrap();
    let mut released: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    released.sort();
    names.sort();
    assert_eq!(
        names, released,
        "each event has a type of its own, and one that was released stays readable"
    );
}

/// The schemas say what the types read and write: no more, since every field that is not there is refused, and no less.
#[test]
fn every_event_has_an_example_that_fits_its_schema_and_its_type() {
    let mut examples: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in EXAMPLES.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let name = format!("{}.1.json", event["type"].as_str().unwrap());
        examples.entry(name).or_default().push(event);
    }
    for family in families() {
        for (name, schema) in family.schemas {
            let schema = jsonschema::validator_for(&schema).unwrap();
            let examples = examples.remove(&name).unwrap_or_default();
            assert!(!examples.is_empty(), "no example for {name}");
            for event in examples {
                let errors: Vec<String> = schema.iter_errors(&event).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{event}: {errors:?}");
                assert_eq!((family.again)(&event).as_ref(), Ok(&event));
                for altered in alterations(&event) {
                    let accepted = schema.is_valid(&altered);
                    let read = (family.again)(&altered);
                    assert_eq!(accepted, read.is_ok(), "{altered}: the type says {read:?}");
                }
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
