//! The OpenAPI document: valid, complete, and true.

use crate::auth::concrete;
use crate::contract;
use crate::support::Api;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use viral_api::Role;
use viral_api::auth::{Access, ROUTES, allowed};
use viral_api::openapi::document;

/// Every operation: its method in capitals, its path and what the document says of it.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    });
    operations.collect()
}

/// Every object of the document with its place.
fn walk<'a>(part: &'a Value, place: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(place, part);
    match part {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| walk(value, &format!("{place}/{name}"), visit)),
        Value::Array(values) => values.iter().for_each(|value| walk(value, place, visit)),
        _ => {}
    }
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let api = Api::new().await;
    let answer = api
        .send(Request::get("/openapi.json").body(Body::empty()).unwrap())
        .await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(answer.json(), document());
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// The document is made of the routes that are mounted: so this compares those with the table too.
#[test]
fn its_operations_are_the_routes_of_the_table() {
    let document = document();
    let operations = operations(&document);
    let documented: BTreeSet<(String, String)> = operations
        .iter()
        .map(|(method, path, _)| (method.clone(), (*path).to_owned()))
        .collect();
    let table: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|rule| (rule.method.to_string(), rule.path.to_owned()))
        .collect();
    assert_eq!(documented, table);
    assert_eq!(table.len(), ROUTES.len(), "a route is in the table twice");
}

#[test]
fn every_operation_says_what_a_reader_needs() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let text = |name: &str| operation[name].as_str().unwrap_or_default();
        assert!(!text("summary").is_empty(), "{place}: no summary");
        assert!(ids.insert(text("operationId")), "{place}: its id is another's");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status < &"400".to_owned()),
            "{place}: no success"
        );
        assert!(
            responses.contains_key("400") && responses.contains_key("500"),
            "{place}: no problems"
        );
        for (status, response) in responses {
            let content = response["content"].as_object();
            for media in content.into_iter().flat_map(|content| content.values()) {
                let known = path.starts_with("/docs") || path == "/openapi.json";
                assert!(known || media.get("example").is_some(), "{place} {status}: no example");
            }
        }
        if method == "POST" {
            assert!(
                operation["requestBody"]["content"]["application/json"]
                    .get("example")
                    .is_some(),
                "{place}"
            );
        }
        let rule = ROUTES
            .iter()
            .find(|rule| rule.path == path && rule.method == method.as_str())
            .unwrap();
        if rule.appends() {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters.contains(&json!({"$ref": "#/components/parameters/IdempotencyKey"})),
                "{place}"
            );
        }
        match rule.access {
            Access::Public => assert_eq!(operation["security"], json!([]), "{place}"),
            Access::To(_) => {
                assert_eq!(operation["security"], json!([{"bearer": []}]), "{place}");
                assert!(text("description").contains("Roles: `"), "{place}");
            }
        }
    }
}

/// What the specification asks for beyond the shape that the types give: <https://spec.openapis.org/oas/v3.1.0>.
#[test]
fn it_is_valid_openapi_3_1() {
    let document = document();
    walk(&document, "", &mut |place, part| {
        if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
            let pointer = reference
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{place}: {reference}"));
            assert!(document.pointer(pointer).is_some(), "{place}: {reference} is nowhere");
        }
        assert!(part.get("nullable").is_none(), "{place}: OpenAPI 3.0's nullable");
    });
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        for response in operation["responses"].as_object().unwrap().values() {
            let is_reference = response.get("$ref").is_some();
            assert!(
                is_reference || response["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{place}"
            );
        }
        let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let documented = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let documented: BTreeSet<&str> = documented
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, documented, "{place}");
        let mut names = BTreeSet::new();
        for parameter in parameters.iter().filter(|parameter| parameter.get("$ref").is_none()) {
            assert!(
                names.insert((parameter["in"].to_string(), parameter["name"].to_string())),
                "{place}: {parameter}"
            );
            assert!(
                parameter["in"] != "path" || parameter["required"] == true,
                "{place}: {parameter}"
            );
            assert!(parameter.get("schema").is_some(), "{place}: {parameter}");
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn nothing_in_it_is_left_over() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, "", &mut |_, part| {
        used.extend(part.get("$ref").and_then(Value::as_str));
    });
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(reference.as_str()), "{reference}");
        }
    }
}

#[test]
fn its_examples_fit_its_schemas() {
    let document = document();
    let mut examples = 0;
    walk(&document, "", &mut |place, part| {
        if let (Some(schema), Some(example)) = (part.get("schema"), part.get("example")) {
            examples += 1;
            let validator = contract::validator(schema, true);
            validator
                .validate(example)
                .unwrap_or_else(|e| panic!("{place}{}: {e}", e.instance_path()));
        }
    });
    assert!(examples > 40, "{examples}");
}

/// The bodies are read strictly before anything else is looked at: what they are about need not be there.
#[tokio::test]
async fn its_requests_are_accepted_by_the_strict_types() {
    let api = Api::for_development().await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push(api.person(role).await);
    }
    let document = document();
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        let Some(example) = operation["requestBody"]["content"]["application/json"].get("example") else {
            continue;
        };
        let rule = ROUTES
            .iter()
            .find(|rule| rule.path == path && rule.method == method.as_str());
        let Access::To(action) = rule.unwrap().access else {
            panic!("everybody may {method} {path}")
        };
        let role = allowed(action)[0].0;
        let who = people.iter().find(|person| person.role == role).unwrap();
        let send = async |body: &Value| {
            let (path, key) = (concrete(path), api.fresh_key());
            api.write_as(who, &method, &path, &key, &body.to_string()).await
        };
        let answer = send(example).await;
        assert!(
            ![400, 401, 403, 413, 415, 500].contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
        let mut more = example.clone();
        more["unknown"] = json!(1);
        assert_eq!(
            send(&more).await.problem(),
            (400, "invalid_body".to_owned()),
            "{method} {path}"
        );
        tried += 1;
    }
    assert!(tried >= 10, "{tried}");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let api = Api::new().await;
    let get = async |path: &str| api.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let redirect = get("/docs").await;
    assert_eq!((redirect.status, redirect.header("location")), (308, Some("/docs/")));
    let page = get("/docs/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let mut files = 0;
    for part in page.text.split("<script").skip(1) {
        let tag = part.split_once("</script>").unwrap().0;
        assert_eq!(tag.split_once('>').unwrap().1.trim(), "", "a script within the page");
    }
    for attribute in [" src=\"", " href=\""] {
        for link in page
            .text
            .split(attribute)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            assert!(!link.contains("//"), "{link}");
            let file = get(&format!("/docs/{}", link.trim_start_matches("./"))).await;
            assert_eq!(file.status, 200, "{link}");
            assert!(!file.text.is_empty());
            files += 1;
        }
    }
    assert!(files >= 4, "{files}");
    let start = get("/docs/swagger-initializer.js").await;
    assert!(start.text.contains("\"/openapi.json\""), "{}", start.text);
    assert!(start.text.contains("\"validatorUrl\": \"none\""), "{}", start.text);
    assert_eq!(get("/docs/nothing.js").await.problem(), (404, "not_found".to_owned()));
    assert_eq!(
        get("/docs/..%2Findex.html").await.problem(),
        (404, "not_found".to_owned())
    );
}
