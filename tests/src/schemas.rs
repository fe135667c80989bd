//! Whether what a real log has is what the checked-in schemas say: of the line, and of the data of every type of event.
//! Also a part of the tests of other crates, by its path.

use jsonschema::Validator;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

/// By the name of the file.
static SCHEMAS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    // Beside the folder of whichever crate is tested.
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../kafka/schemas");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let schema = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(file.path()).unwrap()).unwrap();
        (name, jsonschema::draft202012::new(&schema).unwrap())
    };
    files
        .filter(|file| {
            !["examples.jsonl", "released.json"]
                .map(Into::into)
                .contains(&file.file_name())
        })
        .map(schema)
        .collect()
});

/// Panics unless a line fits the schema of lines, and its data those of its type and version.
pub fn check_line(line: &str) {
    let value: Value = serde_json::from_str(line).unwrap();
    let (event_type, version) = value["dataschema"]
        .as_str()
        .and_then(|id| id.strip_prefix("urn:viral:event:"))
        .and_then(|rest| rest.rsplit_once(':'))
        .unwrap_or_else(|| panic!("{line} has no dataschema"));
    check("line.1.json", &value, line);
    check(&format!("{event_type}.{version}.json"), &value["data"], line);
}

fn check(name: &str, value: &Value, line: &str) {
    let schema = SCHEMAS
        .get(name)
        .unwrap_or_else(|| panic!("no kafka/schemas/{name}: kafka/src/catalogue.rs does not know it\n{line}"));
    let errors: Vec<String> = schema.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{line} is not what {name} says: {errors:?}");
}
