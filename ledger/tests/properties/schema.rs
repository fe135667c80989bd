//! Whether an event's JSON has the shape that its checked-in schema says: the fields that must be there, no others, and
//! their types. Patterns and formats are left to the types that parse them.

use serde_json::Value;
use std::collections::BTreeMap;
use viral_ledger::BookEvent;

/// The checked-in schemas, by event type.
pub(crate) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    pub(crate) fn load() -> Schemas {
        // They lie with those of all events, in the crate that publishes them.
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../kafka/schemas";
        let files = std::fs::read_dir(folder).expect("the folder of the schemas");
        let schema = |file: std::io::Result<std::fs::DirEntry>| {
            let file = file.unwrap();
            if !file.file_name().to_string_lossy().starts_with("book.") {
                return None;
            }
            let text = std::fs::read_to_string(file.path()).unwrap();
            let schema: Value = serde_json::from_str(&text).unwrap();
            let event_type = schema["properties"]["type"]["const"].as_str().unwrap().to_owned();
            Some((event_type, schema))
        };
        Schemas(files.filter_map(schema).collect())
    }

    pub(crate) fn check(&self, event: &BookEvent, json: &Value) {
        let schema = self.0.get(event.event_type()).expect("a schema of the event");
        if let Err(problem) = check(schema, schema, json) {
            panic!("{json} does not match its schema: {problem}");
        }
    }
}

fn check(root: &Value, schema: &Value, json: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return check(root, &root["$defs"][name], json);
    }
    for any in ["anyOf", "oneOf"] {
        if let Some(options) = schema[any].as_array()
            && !options.iter().any(|option| check(root, option, json).is_ok())
        {
            return Err(format!("{json} is none of {options:?}"));
        }
    }
    let expected = schema.get("const").unwrap_or(json);
    if expected != json || !has_type(&schema["type"], json) {
        return Err(format!("{json} is not {schema}"));
    }
    for item in json.as_array().into_iter().flatten() {
        check(root, &schema["items"], item)?;
    }
    let Some(object) = json.as_object() else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(required.as_str().unwrap_or_default()) {
            return Err(format!("{required} is missing"));
        }
    }
    for (key, value) in object {
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(property), _) => check(root, property, value)?,
            (None, Value::Bool(false)) => return Err(format!("{key:?} is unknown")),
            (None, others) => check(root, others, value)?,
        }
    }
    Ok(())
}

fn has_type(types: &Value, json: &Value) -> bool {
    let name = match json {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match types {
        Value::Null => true,
        Value::Array(types) => types.iter().any(|t| t == name),
        one => one == name,
    }
}
