//! What is checked in is what the code says: the schemas, the AsyncAPI document and the tables of `docs/EVENTS.md`; and
//! what was released stays as it is.
//!
//! `UPDATE_SCHEMAS=1 cargo test --workspace --lib -- checked_in` writes them; `UPDATE_SCHEMAS=release …` declares all
//! schemas released that are not yet.

use crate::{asyncapi, attributes, catalogue};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use viral_store::canonical;

/// How to accept what the code says now.
const UPDATE: &str = "UPDATE_SCHEMAS=1 cargo test --workspace --lib -- checked_in";
/// The released schemas: the name of each file, and SHA-256 of what it says.
const RELEASED: &str = "released.json";

fn update() -> Option<String> {
    std::env::var("UPDATE_SCHEMAS").ok()
}

fn here(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

/// Compares a file with what it should be, or writes it.
fn hold(path: &str, expected: &str) {
    let found = std::fs::read_to_string(here(path)).ok();
    if found.as_deref() == Some(expected) {
        return;
    }
    let problem = if found.is_some() {
        "is not what the code says"
    } else {
        "is missing"
    };
    assert!(
        update().is_some(),
        "kafka/{path} {problem}. If the code is right, write it with {UPDATE}"
    );
    std::fs::write(here(path), expected).unwrap();
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// The schema without what is only said to people: that may be worded better at any time.
fn without_words(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            // A property may be called "description"; it is an object, words are text.
            let words = |name: &str, value: &Value| ["description", "title"].contains(&name) && value.is_string();
            let kept = fields.iter().filter(|(name, value)| !words(name, value));
            kept.map(|(name, value)| (name.clone(), without_words(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_words).collect(),
        other => other.clone(),
    }
}

/// SHA-256 of the canonical form (RFC 8785) of what a schema says to programs.
fn hash(schema: &Value) -> String {
    hex::encode(Sha256::digest(canonical::to_text(&without_words(schema)).unwrap()))
}

fn released() -> BTreeMap<String, String> {
    let path = here("schemas").join(RELEASED);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The files of versions that are read and no longer written: nothing makes them anew, so they stay as they are.
fn older() -> BTreeSet<String> {
    let types = viral_domain::decode::types();
    let files = types.iter().flat_map(|known| {
        let versions = 1..=known.older.len();
        versions.map(|version| format!("{}.{version}.json", known.name))
    });
    files.collect()
}

#[test]
fn released_schemas_never_change() {
    let mut schemas = catalogue::schemas();
    for name in older() {
        let text = std::fs::read_to_string(here("schemas").join(&name)).unwrap();
        schemas.insert(name, serde_json::from_str(&text).unwrap());
    }
    let mut released = released();
    for (name, expected) in &released {
        let schema = schemas.get(name).unwrap_or_else(|| {
            panic!(
                "schemas/{name} was released, so there are logs with such events, but the code no longer reads that \
                 type in that version: a new version needs a step from the old one, see ledger/src/versions.rs."
            )
        });
        assert_eq!(
            &hash(schema),
            expected,
            "{name} no longer says what was released. A released schema never changes, since events of it are stored \
             for ever and others read them: leave the type as it is and add a new version of the event (a schema of \
             its own, an upcaster from the old version), or an event of a new type."
        );
    }
    if update().as_deref() == Some("release") {
        released.extend(schemas.iter().map(|(name, schema)| (name.clone(), hash(schema))));
        std::fs::write(here("schemas").join(RELEASED), pretty(&released)).unwrap();
    }
}

#[test]
fn the_schemas_are_those_of_the_code() {
    let mut expected: BTreeSet<String> = [RELEASED, "examples.jsonl"].map(str::to_owned).into();
    expected.extend(older());
    for (name, schema) in catalogue::schemas() {
        hold(&format!("schemas/{name}"), &pretty(&schema));
        expected.insert(name);
    }
    let files = std::fs::read_dir(here("schemas")).unwrap();
    let found: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let stale: Vec<&String> = found.difference(&expected).collect();
    assert!(
        stale.is_empty(),
        "of no event, remove them from kafka/schemas/: {stale:?}"
    );
}

#[test]
fn the_asyncapi_document_is_that_of_the_code() {
    hold("asyncapi.json", &asyncapi::text());
}

/// A document with a generated part in the place of what stands between its marks.
fn with_part(document: &str, name: &str, part: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{part}{end}{after}")
}

fn table_of_fields() -> String {
    let mut table = "| field | header | always there | holds |\n|---|---|---|---|\n".to_owned();
    for attribute in attributes::attributes() {
        let header = match attribute.name {
            attributes::DATA => "none".to_owned(),
            name => format!("`{}`", attributes::header_of(name)),
        };
        let always = if attribute.required { "yes" } else { "no" };
        table += &format!(
            "| `{}` | {header} | {always} | {} |\n",
            attribute.name, attribute.description
        );
    }
    table
}

fn table_of_events() -> String {
    let mut table = "| type | version | topic | says |\n|---|---|---|---|\n".to_owned();
    for event in catalogue::all() {
        let (name, version, topic) = (&event.name, event.version, event.topic());
        table += &format!(
            "| [`{name}`](../kafka/schemas/{}) | {version} | `{topic}` | {} |\n",
            event.file_name(),
            event.description
        );
    }
    table
}

#[test]
fn the_tables_of_the_docs_are_those_of_the_code() {
    let path = "../docs/EVENTS.md";
    let document = std::fs::read_to_string(here(path)).unwrap();
    let document = with_part(&document, "fields", &table_of_fields());
    hold(path, &with_part(&document, "events", &table_of_events()));
}
