//! The document's components: a message and a schema for each type of event, and what they share.

use super::BINDING_VERSION;
use crate::attributes::{self, CONTENT_TYPE, DATA, EXAMPLES, header_of};
use crate::catalogue::EventType;
use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";
/// What the components call the schema of a line and that of the headers.
const LINE: &str = "line";
const HEADERS: &str = "headers";

pub(super) fn components(events: &[EventType]) -> Value {
    let messages: Map<String, Value> = events
        .iter()
        .map(|event| (event.name.clone(), message(event)))
        .collect();
    json!({
        "correlationIds": {"request": {
            "description": "The request that an event belongs to, if it belongs to one.",
            "location": format!("$message.header#/{}", header_of("correlationid")),
        }},
        "messages": messages,
        "schemas": schemas(events),
    })
}

/// Those of the events and of the values in them, which have one meaning wherever they are used.
fn schemas(events: &[EventType]) -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert(LINE.to_owned(), attributes::line_schema());
    schemas.insert(HEADERS.to_owned(), attributes::headers_schema());
    for event in events {
        let mut schema = event.schema.clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("$schema");
            fields.remove("$id");
            if let Some(Value::Object(definitions)) = fields.remove("$defs") {
                schemas.extend(definitions);
            }
        }
        schemas.insert(event.name.clone(), schema);
    }
    schemas.values_mut().for_each(refer_to_components);
    schemas
}

fn refer_to_components(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("{SCHEMAS}{name}");
            }
            fields.values_mut().for_each(refer_to_components);
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_components),
        _ => {}
    }
}

fn message(event: &EventType) -> Value {
    let reference = |name: &str| json!({"$ref": format!("{SCHEMAS}{name}")});
    // What every message of this type has in common, in the line and in the headers.
    let fixed = [
        ("type", event.name.clone()),
        ("aggregatetype", event.aggregate_type.to_owned()),
        ("dataschema", event.schema_id()),
    ];
    let constants = |name_of: fn(&str) -> String| -> Map<String, Value> {
        let constant = |(name, value): &(&str, String)| (name_of(name), json!({"const": value}));
        fixed.iter().map(constant).collect()
    };
    let mut line = constants(str::to_owned);
    line.insert(DATA.to_owned(), reference(&event.name));
    json!({
        "name": event.name,
        "title": title(&event.name),
        "summary": event.description,
        "contentType": CONTENT_TYPE,
        "correlationId": {"$ref": "#/components/correlationIds/request"},
        "headers": {"allOf": [reference(HEADERS), {"type": "object", "properties": constants(header_of)}]},
        "payload": {"allOf": [reference(LINE), {"type": "object", "properties": line}]},
        "tags": [{"name": event.aggregate_type}],
        "bindings": {"kafka": {
            "key": {
                "type": "string",
                "description": "The aggregate: `<aggregatetype>/<subject>`.",
                "pattern": format!("^{}/.+$", event.aggregate_type),
            },
            "bindingVersion": BINDING_VERSION,
        }},
        "examples": examples(event),
    })
}

/// `campaign.place_taken` as words.
fn title(name: &str) -> String {
    let words = name.replace(['.', '_'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The first example line of a type, which is the fullest, and the headers that go with it.
fn examples(event: &EventType) -> Vec<Value> {
    let lines = EXAMPLES.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut lines = lines.filter(|line: &Value| line["type"] == event.name.as_str());
    let example = |line: Value| {
        let attributes = line.as_object().into_iter().flatten();
        let mut headers: Map<String, Value> = attributes
            .filter(|(name, _)| *name != DATA)
            .map(|(name, value)| (header_of(name), value.clone()))
            .collect();
        headers.insert("content-type".to_owned(), json!(CONTENT_TYPE));
        json!({"headers": headers, "payload": line})
    };
    lines.next().map(example).into_iter().collect()
}
