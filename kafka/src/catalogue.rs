//! Every type of event that the platform writes, with the JSON Schema of its payload.
//!
//! The schemas are those of the Rust types, so what is published and what is read cannot part. They are checked in
//! under `kafka/schemas/`, because others read our events for as long as there is a log: a schema that was released
//! never changes, see `checked_in.rs`.

use crate::{attributes, engagement, topics};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use viral_domain::Aggregate;
use viral_domain::acceptance::Acceptances;
use viral_domain::assignment::Assignment;
use viral_domain::campaign::Campaign;
use viral_domain::fraud_flag::FraudFlag;
use viral_domain::on_ramp::OnRamp;
use viral_domain::payout::Payout;
use viral_domain::user::{Login, User};
use viral_ledger::versions::Versioned;
use viral_ledger::{BookEvent, ReversalEvent};

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// How a schema refers to what it has under `$defs`.
const DEFINITIONS: &str = "#/$defs/";

/// A type of event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventType {
    /// Its name, the `type` of its lines and of their data: `campaign.funded`.
    pub name: String,
    /// The newest version of its schema, the one that is written.
    pub version: &'static str,
    /// What kind of aggregate it happens to.
    pub aggregate_type: &'static str,
    /// What happened, in a sentence.
    pub description: String,
    /// The JSON Schema (2020-12) of `data`.
    pub schema: Value,
}

impl EventType {
    /// The id of its schema, which is the `dataschema` of its lines.
    pub fn schema_id(&self) -> String {
        schema_id(&self.name, self.version)
    }

    /// The name of its schema's file.
    pub fn file_name(&self) -> String {
        format!("{}.{}.json", self.name, self.version)
    }

    /// The topic that it is published in.
    pub fn topic(&self) -> &'static str {
        match self.aggregate_type {
            BookEvent::AGGREGATE_TYPE => topics::LEDGER,
            _ => topics::EVENTS,
        }
    }
}

/// All types of events, in the order of their names.
pub fn all() -> Vec<EventType> {
    let mut all = of::<BookEvent>(BookEvent::AGGREGATE_TYPE);
    all.extend(of::<ReversalEvent>(ReversalEvent::AGGREGATE_TYPE));
    all.extend(of_aggregate::<Acceptances>());
    all.extend(of_aggregate::<Assignment>());
    all.extend(of_aggregate::<Campaign>());
    all.extend(of_aggregate::<FraudFlag>());
    all.extend(of_aggregate::<Login>());
    all.extend(of_aggregate::<OnRamp>());
    all.extend(of_aggregate::<Payout>());
    all.extend(of_aggregate::<User>());
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Every schema by the name of its file: one for each type of event, the line's, and that of measurements of engagement.
pub fn schemas() -> BTreeMap<String, Value> {
    let mut schemas: BTreeMap<String, Value> = all()
        .into_iter()
        .map(|event| (event.file_name(), event.schema))
        .collect();
    let mut line = attributes::line_schema();
    line["$schema"] = json!(DIALECT);
    line["$id"] = json!(format!("urn:viral:line:{}", attributes::LINE_VERSION));
    line.sort_all_objects();
    schemas.insert(format!("line.{}.json", attributes::LINE_VERSION), line);
    let engagement = format!("engagement.{}.json", engagement::VERSION);
    schemas.insert(engagement, engagement::schema());
    schemas
}

fn schema_id(name: &str, version: &str) -> String {
    format!("urn:viral:event:{name}:{version}")
}

fn of_aggregate<A: Aggregate>() -> Vec<EventType>
where
    A::Event: JsonSchema,
{
    of::<A::Event>(A::TYPE)
}

/// The events of an enum that is tagged by `type`: schemars makes one variant of `oneOf` of each.
fn of<E: JsonSchema + Versioned>(aggregate_type: &'static str) -> Vec<EventType> {
    let mut schema = schemars::schema_for!(E).to_value();
    state_ranges(&mut schema);
    let none = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let variants = schema.get("oneOf").and_then(Value::as_array);
    variants
        .into_iter()
        .flatten()
        .filter_map(|variant| {
            let name = variant["properties"]["type"]["const"].as_str()?;
            let known = E::TYPES.iter().find(|known| known.name == name)?;
            Some(of_variant(variant, definitions, aggregate_type, known.version))
        })
        .collect()
}

fn of_variant(
    variant: &Value,
    definitions: &Map<String, Value>,
    aggregate_type: &'static str,
    version: &'static str,
) -> EventType {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&variant["properties"]["type"]["const"]);
    let mut used = BTreeSet::new();
    collect_used(variant, definitions, &mut used);
    let used: Map<String, Value> = used
        .into_iter()
        .filter_map(|name| definitions.get(&name).map(|schema| (name, schema.clone())))
        .collect();
    let mut schema = variant.clone();
    schema["$schema"] = json!(DIALECT);
    schema["$id"] = json!(schema_id(&name, version));
    schema["title"] = json!(name);
    if !used.is_empty() {
        schema["$defs"] = Value::Object(used);
    }
    // The order of fields would depend on the features that other crates ask of serde_json.
    schema.sort_all_objects();
    EventType {
        description: text(&variant["description"]),
        name,
        version,
        aggregate_type,
        schema,
    }
}

/// Says the range of an integer in numbers where schemars names Rust's type: strict readers refuse a format that they
/// do not know.
pub(crate) fn state_ranges(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            let range = match fields.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u32::from(u8::MAX)),
                Some("uint16") => Some(u32::from(u16::MAX)),
                Some("uint32") => Some(u32::MAX),
                _ => None,
            };
            if let Some(range) = range {
                fields.remove("format");
                fields.entry("maximum").or_insert(json!(range));
            }
            fields.values_mut().for_each(state_ranges);
        }
        Value::Array(items) => items.iter_mut().for_each(state_ranges),
        _ => {}
    }
}

/// The definitions that a part of a schema needs, with those that they need.
fn collect_used(part: &Value, definitions: &Map<String, Value>, used: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.strip_prefix(DEFINITIONS))
                && used.insert(name.to_owned())
                && let Some(definition) = definitions.get(name)
            {
                collect_used(definition, definitions, used);
            }
            fields.values().for_each(|field| collect_used(field, definitions, used));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_used(item, definitions, used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
