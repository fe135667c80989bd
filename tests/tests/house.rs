//! The house rules: which crate may use which, and that ledger and domain are pure. Whoever needs another arrow changes
//! this table on purpose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each crate's folder, and the crates of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ledger", &[]),
    ("domain", &["viral-ledger"]),
    ("store", &[]),
    ("commands", &["viral-store", "viral-domain", "viral-ledger"]),
    ("projections", &["viral-store", "viral-domain", "viral-ledger"]),
    ("kafka", &["viral-store", "viral-domain", "viral-ledger"]),
    (
        "audit",
        &["viral-store", "viral-domain", "viral-ledger", "viral-projections"],
    ),
    (
        "api",
        &[
            "viral-commands",
            "viral-projections",
            "viral-audit",
            "viral-store",
            "viral-domain",
            "viral-ledger",
        ],
    ),
    (
        "workers",
        &[
            "viral-commands",
            "viral-projections",
            "viral-store",
            "viral-domain",
            "viral-ledger",
        ],
    ),
];

/// What would make a pure crate depend on where and when it runs.
const IMPURE_CRATES: [&str; 9] = [
    "tokio",
    "sqlx",
    "axum",
    "reqwest",
    "rdkafka",
    "clickhouse",
    "rand",
    "getrandom",
    "tracing",
];
const IMPURE_CALLS: [&str; 7] = [
    "Utc::now",
    "SystemTime::now",
    "Instant::now",
    "now_v7",
    "new_v4",
    "std::env",
    "std::fs",
];

fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .parent()
        .unwrap()
        .to_owned()
}

/// The names under `[dependencies]`; what tests need is free.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest
        .split("\n[")
        .find(|section| section.starts_with("dependencies]"))
        .unwrap();
    let names = section
        .lines()
        .skip(1)
        .filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn crates_use_only_what_they_may() {
    for (folder, may_use) in MAY_USE {
        let ours = dependencies(folder)
            .into_iter()
            .filter(|name| name.starts_with("viral"));
        for used in ours {
            assert!(may_use.contains(&used.as_str()), "{folder} uses {used}");
        }
    }
}

#[test]
fn every_crate_has_its_row() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members
        .split(',')
        .map(|member| member.trim().trim_matches('"'))
        .filter(|member| !member.is_empty())
    {
        let free = ["cli", "tests"].contains(&member);
        assert!(
            free || MAY_USE.iter().any(|(folder, _)| *folder == member),
            "{member} has no row"
        );
    }
}

#[test]
fn ledger_and_domain_are_pure() {
    for folder in ["ledger", "domain"] {
        check_pure(folder);
    }
}

fn check_pure(folder: &str) {
    let dependencies = dependencies(folder);
    assert!(!dependencies.is_empty());
    for name in IMPURE_CRATES {
        assert!(!dependencies.contains(name), "{folder} uses {name}");
    }
    let mut files = 0;
    for entry in walk(&root().join(folder).join("src")) {
        files += 1;
        let text = std::fs::read_to_string(&entry).unwrap();
        for call in IMPURE_CALLS {
            // What is compiled for tests only may read files.
            let path = entry.strip_prefix(root()).unwrap().to_string_lossy();
            assert!(
                path.contains("tests") || !text.contains(call),
                "{}: {call}",
                entry.display()
            );
        }
    }
    assert!(files > 5);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
