//! The document's components: a message and a schema for each type of event, and what they share.

use super::BINDING_VERSION;
use crate::attributes::{self, CONTENT_TYPE, DATA, EXAMPLES, header_of};
use crate::catalogue::EventType;
use crate::engagement;
use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";
/// What the components call the schema of a line and that of the headers.
const LINE: &str = "line";
const HEADERS: &str = "headers";
/// What they call the message that is no event.
pub(super) const ENGAGEMENT: &str = "engagement";

pub(super) fn components(events: &[EventType]) -> Value {
    let mut messages: Map<String, Value> = events
        .iter()
        .map(|event| (event.name.clone(), message(event)))
        .collect();
    messages.insert(ENGAGEMENT.to_owned(), engagement());
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
    let of_events = events.iter().map(|event| (event.name.clone(), event.schema.clone()));
    for (name, mut schema) in of_events.chain([(ENGAGEMENT.to_owned(), engagement::schema())]) {
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("$schema");
            fields.remove("$id");
            if let Some(Value::Object(definitions)) = fields.remove("$defs") {
                schemas.extend(definitions);
            }
        }
        schemas.insert(name, schema);
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

fn engagement() -> Value {
    json!({
        "name": ENGAGEMENT,
        "title": "Measurement of engagement",
        "summary": "What was measured for a creator's part in a campaign on a platform.",
        "contentType": engagement::CONTENT_TYPE,
        "headers": {"type": "object", "properties": {"content-type": {"const": engagement::CONTENT_TYPE}}},
        "payload": {"$ref": format!("{SCHEMAS}{ENGAGEMENT}")},
        "tags": [{"name": ENGAGEMENT}],
        "bindings": {"kafka": {
            "key": {
                "type": "string",
                "description": "The measurement: `<platform>/<id>`.",
                "pattern": "^[a-z0-9_-]+/.+$",
            },
            "bindingVersion": BINDING_VERSION,
        }},
        "examples": [{
            "headers": {"content-type": engagement::CONTENT_TYPE},
            "payload": {
                "platform": "youtube", "id": "video-7/2026-03-01T12", "version": 1,
                "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
                "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "timestamp": "2026-03-01T12:00:00.000000Z",
                "impressions": 1000, "clicks": 50, "watch_time": 3600, "conversions": 2,
            },
        }],
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
