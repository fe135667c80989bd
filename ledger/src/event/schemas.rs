//! The JSON Schema of every event is checked in under `schemas/`, because others read our events for as long as there is
//! a log. This test holds the schemas and the types together.

use super::BookEvent;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where it lies and what it says, for every event.
fn generated() -> Vec<(PathBuf, Value)> {
    let all = serde_json::to_value(schemars::schema_for!(BookEvent)).unwrap();
    let definitions = all["$defs"].as_object().unwrap();
    let variants = all["oneOf"].as_array().unwrap();
    variants.iter().map(|variant| of_event(variant, definitions)).collect()
}

fn of_event(variant: &Value, definitions: &Map<String, Value>) -> (PathBuf, Value) {
    let event_type = variant["properties"]["type"]["const"].as_str().unwrap();
    let version = BookEvent::VERSION;
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
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("schemas");
    (folder.join(format!("{event_type}.{version}.json")), schema)
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

#[test]
fn released_schemas_never_change() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some_and(|value| value == "1");
    for (path, schema) in generated() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let Ok(released) = std::fs::read_to_string(&path) else {
            assert!(
                update,
                "schemas/{name} is missing: write it with UPDATE_SCHEMAS=1 cargo test -p viral-ledger schemas"
            );
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
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
            "schemas/{name} differs in its words only: write it with UPDATE_SCHEMAS=1 cargo test -p viral-ledger schemas"
        );
        std::fs::write(&path, text).unwrap();
    }
}
