//! What the document says about itself holds: its references lead somewhere, its examples fit.

use super::*;
use std::collections::BTreeMap;

/// Every part of the document.
fn walk<'a>(part: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(part);
    match part {
        Value::Object(fields) => fields.values().for_each(|value| walk(value, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_over() {
    let document = document();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    walk(&document, &mut |part| {
        if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            *used.entry(reference).or_default() += 1;
        }
    });
    for kind in ["messages", "schemas", "correlationIds"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains_key(reference.as_str()), "{reference}");
        }
    }
}

/// Every message is in one channel, with an example whose line and headers fit.
#[test]
fn every_message_is_in_one_channel_and_its_example_fits() {
    let document = document();
    let mut messages = Vec::new();
    for topic in TOPICS {
        messages.extend(document["channels"][topic.key]["messages"].as_object().unwrap().keys());
    }
    messages.sort();
    let expected: Vec<&String> = document["components"]["messages"].as_object().unwrap().keys().collect();
    assert_eq!(messages, expected);
    for (name, message) in document["components"]["messages"].as_object().unwrap() {
        let example = &message["examples"][0];
        for part in ["payload", "headers"] {
            let mut schema = message[part].clone();
            schema["components"] = document["components"].clone();
            let schema = jsonschema::draft7::new(&schema).unwrap();
            let errors: Vec<String> = schema.iter_errors(&example[part]).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
        let line = &example["payload"];
        let of = |event: &str, measurement: &str| line[event].as_str().or(line[measurement].as_str()).unwrap();
        let key = format!("{}/{}", of("aggregatetype", "platform"), of("subject", "id"));
        let pattern = json!({"pattern": message["bindings"]["kafka"]["key"]["pattern"]});
        assert!(jsonschema::is_valid(&pattern, &json!(key)), "{name}: {key}");
    }
}

/// Values that events share have one schema, or one would take the place of the other.
#[test]
fn a_name_means_one_schema() {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for event in catalogue::all() {
        for (name, schema) in event.schema["$defs"].as_object().into_iter().flatten() {
            let first = all.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(first, schema, "{name} of {} is another one", event.name);
        }
    }
    assert!(all.len() > 20);
}
