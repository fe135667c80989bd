//! The AsyncAPI 3.0 document of the published log, made from the catalogue and the table of attributes: whoever has
//! the binary has it (`viral export asyncapi`), and it is checked in as `kafka/asyncapi.json`.
//!
//! Schemas are put among the components without `$schema` and `$id`, since an `$id` would be the base of the references
//! in them. They use nothing that AsyncAPI's own dialect, a superset of JSON Schema draft 7, does not know.

use crate::attributes::CONTENT_TYPE;
use crate::catalogue::{self, EventType};
use crate::topics;
use serde_json::{Map, Value, json};
use viral_store::line::MAX_LENGTH;

mod components;

/// The version of the Kafka bindings.
const BINDING_VERSION: &str = "0.5.0";

/// A topic, as the document describes it.
struct Topic {
    /// Its key among the channels.
    key: &'static str,
    address: &'static str,
    title: &'static str,
    partitions: i32,
    summary: &'static str,
    description: &'static str,
}

const TOPICS: [Topic; 3] = [
    Topic {
        key: "ledger",
        address: topics::LEDGER,
        title: "The ledger",
        partitions: 1,
        summary: "The events of the book, in their order.",
        description: "Accounts, transactions, holds, closed periods and snapshots: aggregate type `book` and nothing \
                      else. One partition for each book, so the order in it is the order of the log.",
    },
    Topic {
        key: "events",
        address: topics::EVENTS,
        title: "All other events",
        partitions: topics::EVENTS_PARTITIONS,
        summary: "The events of users, campaigns, assignments, payouts and whatever else is no book.",
        description: "Partitioned by key: the events of an aggregate are in one partition, in the order of their \
                      `sequence`. The number of partitions never changes.",
    },
    Topic {
        key: ENGAGEMENT_KEY,
        address: topics::ENGAGEMENT.name,
        title: "Measurements of engagement",
        partitions: topics::ENGAGEMENT.partitions,
        summary: "What was measured for creators' parts in campaigns. They are no events of the log.",
        description: "Keyed by `<platform>/<id>`, which says for ever which measurement it is. The same one may come again; \
                      with a higher `version` it replaces what was said before, and of equal versions the last one counts.",
    },
];

/// The channel whose messages are no events.
const ENGAGEMENT_KEY: &str = "engagement";

/// The document, with its fields in the order of their names.
pub fn document() -> Value {
    let events = catalogue::all();
    let channels: Map<String, Value> = TOPICS
        .iter()
        .map(|topic| (topic.key.to_owned(), channel(topic, &events)))
        .collect();
    let operations: Map<String, Value> = TOPICS
        .iter()
        .map(|topic| (format!("publish-{}", topic.key), operation(topic)))
        .collect();
    let mut document = json!({
        "asyncapi": "3.0.0",
        "id": "urn:viral:asyncapi:published-log",
        "info": info(),
        "defaultContentType": CONTENT_TYPE,
        "servers": {"kafka": {
            "host": "kafka.example.com:9092",
            "protocol": "kafka",
            "description": "Any Apache Kafka that the platform's `KAFKA_BROKERS` names.",
        }},
        "channels": channels,
        "operations": operations,
        "components": components::components(&events),
    });
    // The order of fields would depend on the features that other crates ask of serde_json.
    document.sort_all_objects();
    document
}

/// The document as it is checked in and printed: JSON with a line break at its end.
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn info() -> Value {
    json!({
        "title": "Viral Engine: the published log",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Every event of the log as one line: a CloudEvents 1.0 JSON object in the canonical form of RFC \
            8785. The value of a message is the line, byte for byte what exports carry and proofs are made of; its \
            headers repeat the attributes.\n\nA partition has every event of its aggregates, first occurrences complete \
            and in the order of the log. An event may come more than once after a failure of the platform: skip what is \
            at or before the highest `position` that you have handled in that partition. Both topics of the log together, merged \
            by `position`, are the whole log: 1, 2, 3 and so on without gaps. Nothing is ever removed or compacted.\n\n\
            Personal fields are sealed; the keys are not published.",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        "tags": [
            {"name": "event-sourcing", "description": "The log is the truth; everything else is derived from it."},
            {"name": "cloudevents", "description": "CloudEvents 1.0, structured mode."},
        ],
    })
}

fn channel(topic: &Topic, events: &[EventType]) -> Value {
    let messages: Map<String, Value> = events
        .iter()
        .filter(|event| event.topic() == topic.address)
        .map(|event| {
            let message = json!({"$ref": format!("#/components/messages/{}", event.name)});
            (event.name.clone(), message)
        })
        .collect();
    let messages = match topic.key {
        ENGAGEMENT_KEY => json!({components::ENGAGEMENT: {"$ref": "#/components/messages/engagement"}}),
        _ => Value::Object(messages),
    };
    json!({
        "address": topic.address,
        "title": topic.title,
        "summary": topic.summary,
        "description": topic.description,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": messages,
        "bindings": {"kafka": {
            "topic": topic.address,
            "partitions": topic.partitions,
            "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1},
            "bindingVersion": BINDING_VERSION,
        }},
    })
}

fn operation(topic: &Topic) -> Value {
    json!({
        "action": "send",
        "channel": {"$ref": format!("#/channels/{}", topic.key)},
        "title": format!("Publish to {}", topic.address),
        "summary": match topic.key {
            ENGAGEMENT_KEY => "The API sends what came in by `POST /v1/engagement`.",
            _ => "The relay sends the events of the log in their order.",
        },
        "description": match topic.key {
            ENGAGEMENT_KEY => "With acks=all. What is sent again is there again.".to_owned(),
            _ => format!(
                "With acks=all and an idempotent producer, without Kafka's transactions. A value has at most {MAX_LENGTH} bytes."
            ),
        },
    })
}

#[cfg(test)]
mod tests;
