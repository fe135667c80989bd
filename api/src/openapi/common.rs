//! What holds for every operation, written into the document from the tables that the code goes by.

use super::schemas;
use crate::auth::{Access, ROUTES, Rule, Scope, allowed};
use crate::kind;
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const SCHEMAS: &str = "#/components/schemas/";

/// Completes a document whose operations say what is their own.
pub(super) fn complete(document: &mut Value) {
    document["servers"] = json!([{"url": "/", "description": "The platform that serves this document"}]);
    let components = &mut document["components"];
    components["responses"] = problems();
    components["headers"] = headers();
    components["parameters"] = parameters();
    components["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token of the platform."}
    });
    complete_schemas(document);
    complete_paths(document);
    remove_unused(document);
}

fn complete_paths(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item {
            let is_this = |rule: &&Rule| rule.path == path && rule.method.as_str().eq_ignore_ascii_case(method);
            if let Some(rule) = ROUTES.iter().find(is_this) {
                complete_operation(rule, operation);
            }
        }
    }
}

/// Takes away what is there for operations of some kind, if there is none of that kind.
fn remove_unused(document: &mut Value) {
    loop {
        let mut used = BTreeSet::new();
        references(document, "#/components/", &mut used);
        let mut removed = false;
        for kind in ["schemas", "parameters", "headers", "responses"] {
            let Some(components) = document["components"][kind].as_object_mut() else {
                continue;
            };
            let before = components.len();
            components.retain(|name, _| used.contains(&format!("{kind}/{name}")));
            removed |= components.len() < before;
        }
        // What only they referred to is unused now.
        if !removed {
            return;
        }
    }
}

fn complete_operation(rule: &Rule, operation: &mut Value) {
    let write = rule.appends();
    let mut statuses = vec![400, 500, 503];
    match rule.access {
        Access::Public => operation["security"] = json!([]),
        Access::To(action) => {
            operation["security"] = json!([{"bearer": []}]);
            let role = |(role, scope): &(viral_domain::user::Role, Scope)| match scope {
                Scope::Any => format!("`{}`", role.as_str()),
                Scope::Own => format!("`{}` (own)", role.as_str()),
            };
            let roles: Vec<String> = allowed(action).iter().map(role).collect();
            let about = operation["description"].as_str().unwrap_or_default();
            operation["description"] = format!("{about}\n\nRoles: {}.", roles.join(", ")).trim().into();
            statuses.extend([401, 403]);
        }
    }
    // What a user calls their own is not there if they are not, and what is for `--dev` not elsewhere.
    if rule.path.contains('{') || rule.path.contains("/me") || rule.path.contains("/dev/") {
        statuses.push(404);
    }
    if write {
        statuses.extend([409, 422, 507]);
    }
    if rule.method != Method::GET {
        statuses.extend([408, 413, 415]);
    }
    let tagged = operation["responses"].get("304").is_some();
    complete_parameters(operation, write, tagged);
    complete_responses(operation, write, &statuses);
}

fn complete_parameters(operation: &mut Value, write: bool, tagged: bool) {
    let common: &[&str] = match (write, tagged) {
        (true, _) => &["IdempotencyKey", "RequestId", "CorrelationId"],
        (false, true) => &["IfNoneMatch"],
        (false, false) => &[],
    };
    if operation["parameters"].is_null() {
        if common.is_empty() {
            return;
        }
        operation["parameters"] = json!([]);
    }
    let Some(parameters) = operation["parameters"].as_array_mut() else {
        return;
    };
    for parameter in parameters.iter_mut() {
        // What is left out of a query is no `null`.
        let schema = &mut parameter["schema"];
        if let Some([of, null]) = schema["type"].as_array().map(Vec::as_slice)
            && null == "null"
        {
            schema["type"] = of.clone();
        }
    }
    for name in common {
        parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
    }
}

fn complete_responses(operation: &mut Value, write: bool, problems: &[u16]) {
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    let tagged = responses.contains_key("304");
    for (status, response) in responses.iter_mut() {
        let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
        response["headers"]["X-Request-Id"] = header("RequestId");
        if write {
            response["headers"]["Viral-Position"] = header("Position");
            response["headers"]["Idempotent-Replayed"] = header("Replayed");
        }
        if tagged {
            response["headers"]["ETag"] = header("EntityTag");
            response["headers"]["Viral-Position"] = header("ReadPosition");
        }
        if status == "201" {
            response["headers"]["Location"] = header("Location");
        }
    }
    for status in problems {
        let problem = json!({"$ref": format!("#/components/responses/Problem{status}")});
        responses.entry(status.to_string()).or_insert(problem);
    }
}

fn complete_schemas(document: &mut Value) {
    let strict = reachable_from_bodies(document);
    let Some(components) = document["components"]["schemas"].as_object_mut() else {
        return;
    };
    components.extend(schemas::all());
    components.insert("Problem".to_owned(), problem());
    for (name, schema) in components {
        let Some(schema) = schema.as_object_mut() else { continue };
        if strict.contains(name) && schema.contains_key("properties") {
            schema.insert("additionalProperties".to_owned(), false.into());
        } else if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            // Answers may have more fields one day, and those of one schema stand beside those of another.
            schema.remove("additionalProperties");
        }
    }
}

/// The names of the schemas that bodies of requests are made of.
fn reachable_from_bodies(document: &Value) -> BTreeSet<String> {
    let mut todo = BTreeSet::new();
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values);
    for operation in operations.filter_map(Value::as_object).flat_map(Map::values) {
        references(&operation["requestBody"]["content"], SCHEMAS, &mut todo);
    }
    let foreign = schemas::all();
    let mut reached = BTreeSet::new();
    while let Some(name) = todo.pop_first() {
        if reached.insert(name.clone()) {
            let schema = foreign.get(&name).unwrap_or(&document["components"]["schemas"][&name]);
            references(schema, SCHEMAS, &mut todo);
        }
    }
    reached
}

/// The names of the components under a prefix that a part of the document refers to.
fn references(part: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            found.extend(name.and_then(|name| name.strip_prefix(prefix)).map(str::to_owned));
            fields.values().for_each(|value| references(value, prefix, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, prefix, found)),
        _ => {}
    }
}

fn problem() -> Value {
    let codes: BTreeSet<&str> = kind::ALL.iter().map(|kind| kind.code).collect();
    let text = |about: &str| json!({"type": "string", "description": about});
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457). Members beside these depend on the code.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:viral:problem:` and the code."},
            "title": text("What kind of problem it is, for people."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": text("What is wrong in this case, and what to do about it, for people."),
            "code": {"type": "string", "enum": codes, "description": "What kind of problem it is, for programs."},
            "request_id": text("The id of the request, which the platform's log has too."),
        },
    })
}

/// One answer for each status, which lists its codes.
fn problems() -> Value {
    let statuses: BTreeSet<u16> = kind::ALL.iter().map(|kind| kind.status).collect();
    let response = |status: &u16| {
        let kinds: Vec<&kind::Kind> = kind::ALL.iter().filter(|kind| kind.status == *status).collect();
        let line = |kind: &&kind::Kind| format!("- `{}`: {}", kind.code, kind.title);
        let lines: Vec<String> = kinds.iter().map(line).collect();
        let example = kinds.first().map(|kind| {
            json!({
                "type": format!("urn:viral:problem:{}", kind.code), "title": kind.title, "status": status,
                "detail": "what is wrong in this case", "code": kind.code,
                "request_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            })
        });
        let schema = json!({"$ref": format!("{SCHEMAS}Problem")});
        let content = json!({"application/problem+json": {"schema": schema, "example": example}});
        let response = json!({"description": format!("A problem:\n{}", lines.join("\n")), "content": content});
        (format!("Problem{status}"), response)
    };
    Value::Object(statuses.iter().map(response).collect())
}

fn headers() -> Value {
    let header = |about: &str, schema: Value| json!({"description": about, "schema": schema});
    json!({
        "RequestId": header("The id of the request: the caller's, or a fresh one.", json!({"type": "string"})),
        "Position": header("The position of the last event that was written.", json!({"type": "integer", "minimum": 1})),
        "Replayed": header("`true` if an earlier request with this key was carried out.", json!({"const": "true"})),
        "EntityTag": header("Which state this is, for `If-None-Match`.", json!({"type": "string"})),
        "ReadPosition": header("How much of the log the answer has seen.", json!({"type": "integer", "minimum": 0})),
        "Location": header("Where it can be read.", json!({"type": "string", "format": "uri-reference"})),
    })
}

fn parameters() -> Value {
    let header = |name: &str, required: bool, max: usize, about: &str| {
        let schema = json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": "^[!-~]+$"});
        json!({"name": name, "in": "header", "required": required, "description": about, "schema": schema})
    };
    json!({
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The `ETag` of the state that the caller has: 304 if that is still the state.",
        },
        "IdempotencyKey": header("Idempotency-Key", true, crate::write::MAX_KEY,
            "Fresh for every new request, the same when a request is repeated: it is carried out once."),
        "RequestId": header("X-Request-Id", false, crate::observe::MAX_ID,
            "An id for this request. One is made if there is none."),
        "CorrelationId": header("X-Correlation-Id", false, crate::observe::MAX_ID,
            "An id for what several requests belong to: their events have it. The request's id if there is none."),
    })
}
