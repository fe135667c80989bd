//! An auditor who has nothing but a file of lines: no database, no home.

use super::journey::Desk;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use viral_tests::files::small_journal;
use viral_tests::process::{run, viral};

/// A desk with a log, and its lines.
async fn desk_with_lines() -> (Desk, PathBuf) {
    let desk = Desk::new().await;
    let journal = small_journal();
    desk.ok(&["import", "journal", journal.to_str().unwrap(), "--overdraft", "*"])
        .await;
    desk.ok(&["export", "events", "-o", "lines.jsonl"]).await;
    let lines = desk.folder.path().join("lines.jsonl");
    (desk, lines)
}

/// Runs `viral` in a folder of its own, where nothing is known of a database.
async fn offline(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = viral(&folder.join("nothing"), arguments);
    command.current_dir(folder);
    let ended = run(command).await;
    assert!(!folder.join("nothing").exists(), "{arguments:?} made a home");
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_lines_answers_as_the_store_does() {
    let (desk, lines) = desk_with_lines().await;
    let away = tempfile::tempdir().unwrap();
    let file = lines.to_str().unwrap();
    let lines = std::fs::read_to_string(&lines).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().nth(299).unwrap()).unwrap();
    let time = line["time"].as_str().unwrap();
    for question in [
        &["audit", "replay", "--json"][..],
        &["audit", "replay", "--as-of", "200"],
        &["audit", "replay", "--json", "--as-of", time],
        &["audit", "trial-balance", "--json"],
        &["audit", "trial-balance", "--effective", "2025-06-30"],
        &["export", "journal", "--format", "hledger"],
        &["export", "events", "--after", "100", "--as-of", "110"],
        &["export", "events"],
    ] {
        let expected = desk.ok(question).await;
        let asked = [question, &["--source", "file", "--file", file]].concat();
        let (code, stdout, stderr) = offline(away.path(), &asked).await;
        assert_eq!(code, 0, "{asked:?}: {stderr}");
        assert_eq!(stdout, expected, "{asked:?}");
    }
    let replayed = desk.json(&["audit", "replay", "--json"]).await;
    let (code, stdout, _) = offline(away.path(), &["audit", "verify", "--file", file]).await;
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains(replayed["state_hash"].as_str().unwrap()), "{stdout}");

    let mut command = viral(
        &away.path().join("nothing"),
        &["audit", "verify", "--file", "-", "--json"],
    );
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let verified: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&verified["holds"], &verified["state_hash"]),
        (&true.into(), &replayed["state_hash"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_told_by_line_and_position() {
    let (_desk, lines) = desk_with_lines().await;
    let away = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(&lines).unwrap();
    let all: Vec<&str> = good.split_inclusive('\n').collect();
    let swapped = [&all[..40], &[all[41], all[40]], &all[42..]].concat().concat();
    let cut = good[..good.len() - 30].to_owned();
    let changed = good.replacen("customer:", "nobody:", 1);
    for (name, content, says) in [
        (
            "swapped",
            swapped,
            "position 41: cannot be read: line 41: it has position 42",
        ),
        ("cut", cut, "the file was cut off in it"),
        ("changed", changed, "does not hold: position"),
    ] {
        let file = away.path().join(name);
        std::fs::write(&file, content).unwrap();
        let file = file.to_str().unwrap();
        let (code, stdout, stderr) = offline(away.path(), &["audit", "verify", "--file", file]).await;
        assert_eq!(code, 1, "{name}: {stdout}{stderr}");
        assert!(stdout.contains(says), "{name}: {stdout}{stderr}");
        let (code, stdout, stderr) = offline(away.path(), &["audit", "replay", "--file", file]).await;
        assert_eq!((code, stdout.as_str()), (1, ""), "{name}");
        assert!(stderr.contains("does not hold at position"), "{name}: {stderr}");
        let (code, _, stderr) = offline(away.path(), &["import", "events", "--file", file]).await;
        assert_eq!(code, 1, "{name}");
        assert!(stderr.contains("position"), "{name}: {stderr}");
    }
    let empty = away.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    for (arguments, expected, says) in [
        (
            &["audit", "verify", "--file", empty.to_str().unwrap()][..],
            1,
            "is empty",
        ),
        (&["audit", "verify", "--file", "gone.jsonl"], 1, "gone.jsonl"),
        (&["audit", "verify", "--source", "file"], 2, "--file"),
        (
            &["audit", "verify", "--source", "store", "--file", "x"],
            2,
            "--source file",
        ),
        (&["import", "events"], 2, "--source file --file FILE"),
        (
            &["import", "events", "--source", "store"],
            2,
            "--source file --file FILE",
        ),
    ] {
        let (code, stdout, stderr) = offline(away.path(), arguments).await;
        assert_eq!(code, expected, "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
    }
}
