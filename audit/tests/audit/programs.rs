//! The programs that must accept our journals, where they are installed. `make test` installs them; without them a
//! test says that it did not run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program of the test's own environment, or one in the path.
fn find(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("VIRAL_TEST_VENV").map(|folder| PathBuf::from(folder).join("bin").join(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    own.into_iter().chain(in_path).find(|program| program.is_file())
}

/// Says something that must be seen: what is printed by macros is hidden when a test passes.
pub(crate) fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// Runs a program; none, and a line that says so, where it is not installed.
pub(crate) fn run(name: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let Some(program) = find(name) else {
        say(&format!(
            "NOT RUN: {name} is not installed, so nothing was checked with it"
        ));
        return None;
    };
    let output: Output = Command::new(program).args(arguments).arg(file).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{name} {arguments:?} does not accept the file:\n{out}\n{err}"
    );
    Some(out.into_owned())
}

/// Whether the python of the environment has beancount in it, which its checker alone does not say.
pub(crate) fn python_with_beancount() -> Option<&'static str> {
    let has = |name: &str| {
        let output = find(name).map(|python| Command::new(python).args(["-c", "import beancount"]).output());
        output.is_some_and(|output| output.is_ok_and(|output| output.status.success()))
    };
    let found = ["python", "python3"].into_iter().find(|name| has(name));
    if found.is_none() {
        say("NOT RUN: no python has the module beancount, so its balances were not compared");
    }
    found
}
