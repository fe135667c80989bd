//! The fields of a line, as one table: the line's JSON Schema, the headers of a Kafka message and the documentation are
//! made of it. What a line is in bytes is said by `viral_store::line` alone; the tests here hold the two together.

use serde_json::{Map, Value, json};

/// The version of the line's schema.
pub const LINE_VERSION: &str = "1";
/// The content type of a line: CloudEvents in structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// What stands before an attribute's name in a header (CloudEvents, Kafka protocol binding, section 3.2.3).
pub const HEADER_PREFIX: &str = "ce_";
/// The header of the last message of a unit; the others do not have it. Units may be spread over partitions.
pub const UNIT_END: &str = "viral-unit-end";
/// The one field that is no attribute: it has no header.
pub const DATA: &str = "data";

/// One line of each type of event, the fullest first. Made up, but true to form.
pub(crate) const EXAMPLES: &str = include_str!("../schemas/examples.jsonl");

const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$";
const TYPE: &str = r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*";

/// A field of the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Whether every line has it.
    pub required: bool,
    /// What it holds.
    pub description: &'static str,
    /// Its JSON Schema, without the description.
    pub schema: Value,
}

/// All fields of a line, in the order of their names, which is the order in the line.
pub fn attributes() -> Vec<Attribute> {
    let attribute = |name, required, description, schema| Attribute {
        name,
        required,
        description,
        schema,
    };
    let text = || json!({"type": "string"});
    let pattern = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let uuid = || json!({"type": "string", "format": "uuid", "pattern": format!("^{UUID}$")});
    let time = || json!({"type": "string", "format": "date-time", "pattern": TIME});
    // A whole number without leading zeros that fits into 64 bits with a sign.
    let number = || json!({"type": "string", "pattern": "^[1-9][0-9]*$", "maxLength": 19});
    let name = || json!({"type": "string", "minLength": 1, "maxLength": 200});
    let kind = || json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 200});
    let data = || {
        let properties = json!({"type": {"type": "string", "description": "The `type` of the line."}});
        json!({"type": "object", "properties": properties, "required": ["type"]})
    };
    vec![
        attribute(
            "actor",
            false,
            "Who asked: a pseudonymous id. Absent if nobody did.",
            text(),
        ),
        attribute(
            "aggregatetype",
            true,
            "What kind of aggregate it happened to: `campaign`.",
            kind(),
        ),
        attribute("causationid", false, "The event that it follows from.", text()),
        attribute("correlationid", false, "The request that it belongs to.", text()),
        attribute(
            DATA,
            true,
            "What happened: an object tagged by `type`, see `dataschema`.",
            data(),
        ),
        attribute(
            "dataschema",
            true,
            "The schema of `data`: `urn:viral:event:<type>:<version>`.",
            pattern(&format!("^urn:viral:event:{TYPE}:[1-9][0-9]*$")),
        ),
        attribute(
            "effectivetime",
            false,
            "When a transaction takes effect, if that is not `time`; in the form of `time`.",
            time(),
        ),
        attribute("id", true, "The id of the event, a UUID.", uuid()),
        attribute(
            "position",
            true,
            "The place in the whole log, from 1 and without gaps: a decimal string.",
            number(),
        ),
        attribute(
            "requesthash",
            false,
            "Tells a retry from another request with the same key: 64 hexadecimal digits.",
            pattern("^[0-9a-f]{64}$"),
        ),
        attribute(
            "sequence",
            true,
            "The place in the aggregate's stream, from 1: a decimal string.",
            number(),
        ),
        attribute(
            "source",
            true,
            "The log: `urn:viral:log:<uuid>`.",
            json!({"type": "string", "format": "uri-reference", "pattern": format!("^urn:viral:log:{UUID}$")}),
        ),
        attribute(
            "specversion",
            true,
            "The version of CloudEvents: `1.0`.",
            json!({"type": "string", "const": "1.0"}),
        ),
        attribute("subject", true, "The id of the aggregate.", name()),
        attribute(
            "time",
            true,
            "When it was recorded: RFC 3339 in UTC with six digits of fraction; never before the event at the position before.",
            time(),
        ),
        attribute(
            "type",
            true,
            "What happened: `campaign.funded`.",
            pattern(&format!("^{TYPE}$")),
        ),
        attribute(
            "unitid",
            true,
            "The unit that it was appended in, all or nothing: the id of the unit's first event.",
            uuid(),
        ),
    ]
}

/// The JSON Schema of a line.
pub fn line_schema() -> Value {
    let attributes = attributes();
    let required: Vec<&str> = attributes.iter().filter(|a| a.required).map(|a| a.name).collect();
    let properties: Map<String, Value> = attributes
        .iter()
        .map(|attribute| (attribute.name.to_owned(), described(attribute)))
        .collect();
    json!({
        "title": "line",
        "description": "An event of the log: a CloudEvents 1.0 JSON object. Its bytes are the object in the canonical \
                        form of RFC 8785.",
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// The JSON Schema of the headers that a message has beside its line: every attribute, as UTF-8 text.
pub fn headers_schema() -> Value {
    let mut properties = Map::new();
    let content_type = json!({"type": "string", "const": CONTENT_TYPE, "description": "The value is a line."});
    properties.insert("content-type".to_owned(), content_type);
    let unit_end = "On the last message of a unit, and on no other: whoever merges both topics knows with it that the unit is \
                    complete.";
    let unit_end = json!({"type": "string", "const": "true", "description": unit_end});
    properties.insert(UNIT_END.to_owned(), unit_end);
    let mut required = vec!["content-type".to_owned()];
    for attribute in attributes().iter().filter(|attribute| attribute.name != DATA) {
        let name = header_of(attribute.name);
        properties.insert(name.clone(), described(attribute));
        if attribute.required {
            required.push(name);
        }
    }
    json!({"type": "object", "required": required, "properties": properties})
}

/// The header of an attribute.
pub fn header_of(attribute: &str) -> String {
    format!("{HEADER_PREFIX}{attribute}")
}

fn described(attribute: &Attribute) -> Value {
    let mut schema = attribute.schema.clone();
    schema["description"] = json!(attribute.description);
    schema
}

#[cfg(test)]
mod tests;
