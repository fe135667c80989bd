//! Every answer that any test gets is compared with the OpenAPI document: its status must be documented there, its body
//! must fit the schema, and there must be nothing in it that the schema does not name.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use viral_api::openapi::document;

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Compiled once for each operation and status.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What a value must be to fit a schema of the document. If `closed`, it has no field that the schema does not name.
pub(crate) fn validator(schema: &Value, closed: bool) -> Validator {
    let mut whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
    if closed {
        whole["unevaluatedProperties"] = json!(false);
    }
    jsonschema::draft202012::new(&whole).unwrap()
}

/// The operation that a request is for, as a pointer into the document.
fn operation(method: &str, path: &str) -> Option<String> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fits = |template: &&String| {
        let (mut template, mut path) = (template.split('/'), path.split('/'));
        loop {
            match (template.next(), path.next()) {
                (None, None) => return true,
                (Some(template), Some(segment)) if template == segment => {}
                (Some(template), Some(segment)) if template.starts_with('{') && !segment.is_empty() => {}
                _ => return false,
            }
        }
    };
    // A path without a variable goes before one with it.
    let template = paths
        .keys()
        .filter(fits)
        .min_by_key(|template| template.matches('{').count())?;
    let method = method.to_lowercase();
    paths[template].get(&method)?;
    Some(format!("/paths/{}/{method}", template.replace('/', "~1")))
}

/// Fails the test if an answer is not as documented. Paths and methods that are not there are not.
pub(crate) fn check(method: &str, path: &str, status: u16, content_type: Option<&str>, text: &str) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let place = format!("{operation}/responses/{status}");
    let response = DOCUMENT
        .pointer(&place)
        .unwrap_or_else(|| panic!("{place} is not documented: {text}"));
    let response = match response["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => response,
    };
    let Some(content) = response["content"].as_object() else {
        assert_eq!(text, "", "{place} has no body");
        return;
    };
    let content_type = content_type.unwrap_or_default();
    let Some(media) = content.get(content_type) else {
        // Files of the page are of many kinds.
        assert!(operation.contains("~1docs~1"), "{place} has {content_type}");
        return;
    };
    if !content_type.ends_with("json") {
        return;
    }
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Members of a problem depend on its code, and the document is about everything.
    let closed = status < 400 && path != "/openapi.json";
    let validator = validators
        .entry(place.clone())
        .or_insert_with(|| Arc::new(validator(&media["schema"], closed)))
        .clone();
    drop(validators);
    let value: Value = serde_json::from_str(text).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&value)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{place}: {problems:?} in {text}");
}
