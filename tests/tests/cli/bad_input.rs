//! Bad input: a clear error that says where and what to do, nothing written, no panic.

use super::journey::Desk;
use std::io::Write as _;

const HEADER: &str = "entry_id,effective_date,debit_account,credit_account,amount,asset,description\n";

async fn head(desk: &Desk) -> String {
    let doctor = desk.json(&["doctor", "--json"]).await;
    doctor["log"]["position"].as_str().unwrap().to_owned()
}

/// Each file, what its import must say, and where.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_imported_say_why() {
    let desk = Desk::new().await;
    let row = |row: &str| format!("{HEADER}{row}\n").into_bytes();
    let latin1 = [HEADER.as_bytes(), b"1,2025-01-01,a:b,c:d,1.00,CZK,caf\xe9\n"].concat();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty", vec![], &["empty"]),
        (
            "no header",
            b"1,2025-01-01,a,b,1.00,CZK,x\n".to_vec(),
            &["entry_id", "amount"],
        ),
        ("latin1", latin1, &["line 2", "UTF-8"]),
        ("short row", row("1,2025-01-01,a:b"), &["line 2"]),
        ("number", row("1,2025-01-01,a:b,c:d,1e3,CZK,x"), &["line 2", "1e3"]),
        (
            "digits",
            row("1,2025-01-01,a:b,c:d,1.001,CZK,x"),
            &["line 2", "decimals"],
        ),
        (
            "negative",
            row("1,2025-01-01,a:b,c:d,-1.00,CZK,x"),
            &["line 2", "more than zero"],
        ),
        (
            "zero",
            row("1,2025-01-01,a:b,c:d,0,CZK,x"),
            &["line 2", "more than zero"],
        ),
        (
            "huge",
            row("1,2025-01-01,a:b,c:d,99999999999999999999999.00,CZK,x"),
            &["line 2", "10^24"],
        ),
        ("asset", row("1,2025-01-01,a:b,c:d,1.00,XYZ,x"), &["line 2", "XYZ"]),
        (
            "date",
            row("1,2025-13-01,a:b,c:d,1.00,CZK,x"),
            &["line 2", "2025-13-01"],
        ),
        ("self", row("1,2025-01-01,a:b,a:b,1.00,CZK,x"), &["line 2", "a:b"]),
        (
            "reserved",
            row("1,2025-01-01,user:1:wallet,c:d,1.00,CZK,x"),
            &["line 2", "user:1:wallet"],
        ),
        (
            "overdrawn",
            row("1,2025-01-01,a:b,c:d,1.00,CZK,x"),
            &["line 2", "available"],
        ),
    ];
    for (name, content, says) in cases {
        let file = desk.file(&format!("{name}.csv"), content);
        let (code, stdout, stderr) = desk.viral(&["import", "journal", file.to_str().unwrap()]).await;
        let said = format!("{stdout}{stderr}");
        assert_eq!(code, 1, "{name}: {said}");
        for word in says {
            assert!(said.contains(word), "{name} does not say {word:?}: {said}");
        }
        assert!(!said.contains("panicked"), "{name}: {said}");
    }
    assert_eq!(head(&desk).await, "0", "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn good_rows_are_kept_and_bad_ones_listed_unless_strict() {
    let desk = Desk::new().await;
    let file = desk.file(
        "mixed.csv",
        format!(
            "{HEADER}1,2025-01-01,a:b,c:d,1.00,CZK,x\n2,2025-01-01,a:b,c:d,bad,CZK,x\n3,2025-01-01,a:b,c:d,2.00,CZK,x\n"
        ),
    );
    let path = file.to_str().unwrap();
    let (code, stdout, _) = desk
        .viral(&[
            "import",
            "journal",
            path,
            "--overdraft",
            "*",
            "--source",
            "strict",
            "--strict",
        ])
        .await;
    assert_eq!(code, 1);
    assert!(stdout.contains("line 3"), "{stdout}");
    let (code, stdout, _) = desk.viral(&["import", "journal", path, "--overdraft", "*"]).await;
    assert_eq!(code, 1);
    assert!(stdout.contains("2 posted") && stdout.contains("1 refused"), "{stdout}");
    let rejects = std::fs::read_to_string(desk.folder.path().join("mixed.csv.rejects.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 2, "{rejects}");
    assert!(rejects.lines().nth(1).unwrap().starts_with("3,"), "{rejects}");
    // Two of this source, one of the other, two accounts.
    assert_eq!(head(&desk).await, "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_entry_with_other_content_is_refused() {
    let desk = Desk::new().await;
    let one = desk.file("one.csv", format!("{HEADER}1,2025-01-01,a:b,c:d,1.00,CZK,x\n"));
    desk.ok(&["import", "journal", one.to_str().unwrap(), "--overdraft", "*"])
        .await;
    let other = desk.file("one.csv", format!("{HEADER}1,2025-01-01,a:b,c:d,2.00,CZK,x\n"));
    let (code, stdout, _) = desk
        .viral(&["import", "journal", other.to_str().unwrap(), "--overdraft", "*"])
        .await;
    assert_eq!(code, 1);
    assert!(stdout.contains("line 2") && stdout.contains("position"), "{stdout}");
    assert_eq!(head(&desk).await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_in_the_middle_keeps_what_was_whole() {
    let desk = Desk::new().await;
    let journal = viral_tests::files::generated(500);
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(journal.as_bytes()).unwrap();
    let zipped = zipped.finish().unwrap();
    let cut = [
        ("cut.csv", journal.as_bytes()[..journal.len() / 2].to_vec()),
        ("cut.csv.gz", zipped[..zipped.len() / 2].to_vec()),
    ];
    for (name, content) in cut {
        let file = desk.file(name, content);
        let arguments = [
            "import",
            "journal",
            file.to_str().unwrap(),
            "--overdraft",
            "*",
            "--source",
            name,
        ];
        let (code, stdout, stderr) = desk.viral(&arguments).await;
        assert_eq!(code, 1, "{name}: {stdout}{stderr}");
        assert!(format!("{stdout}{stderr}").contains("line"), "{name}: {stdout}{stderr}");
        let whole = desk.file(name, &journal);
        let report = desk
            .json(&[
                "import",
                "journal",
                whole.to_str().unwrap(),
                "--overdraft",
                "*",
                "--source",
                name,
                "--json",
            ])
            .await;
        assert_eq!(
            report["posted"].as_u64().unwrap() + report["duplicates"].as_u64().unwrap(),
            500,
            "{report}"
        );
        assert!(report["duplicates"].as_u64().unwrap() > 0, "{report}");
    }
}

/// 1 GB of zeros in 1 MB of gzip: one endless line.
#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_of_nonsense_needs_little_memory() {
    let desk = Desk::new().await;
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped.write_all(HEADER.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1_024 {
        zipped.write_all(&zeros).unwrap();
    }
    let file = desk.file("zeros.csv.gz", zipped.finish().unwrap());
    // A limit on the address space turns a buffer of the whole file into a failure.
    let viral = viral_tests::process::binary();
    let script = format!(
        "ulimit -v 2000000; exec '{}' import journal '{}'",
        viral.display(),
        file.display()
    );
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &script])
        .env("DATABASE_URL", &desk.database.superuser_url)
        .current_dir(desk.folder.path());
    let (code, stdout, stderr) = viral_tests::process::run(command).await;
    let said = format!("{stdout}{stderr}");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("line 2") && said.contains("1 MiB"), "{said}");
    assert_eq!(head(&desk).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_end_with_two() {
    let desk = Desk::new().await;
    for arguments in [
        &["frobnicate"][..],
        &["audit", "replay", "--as-of", "yesterday"],
        &["export", "journal", "--format", "excel"],
        &["import", "journal"],
        &["audit", "verify", "--source", "paper"],
    ] {
        let (code, stdout, stderr) = desk.viral(arguments).await;
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
    let (code, _, stderr) = desk.viral(&["audit", "replay", "--as-of", "99"]).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("beyond the end"), "{stderr}");
}

/// What is no regular file is written to, not replaced.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_leaves_devices_and_links_what_they_are() {
    let desk = Desk::new().await;
    let target = desk.file("target.jsonl", "old");
    let link = desk.folder.path().join("link.jsonl");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    desk.ok(&["export", "events", "-o", link.to_str().unwrap()]).await;
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "");
    let fifo = desk.folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let reader = {
        let fifo = fifo.clone();
        tokio::task::spawn_blocking(move || std::fs::read_to_string(fifo).unwrap())
    };
    desk.ok(&["export", "journal", "--format", "csv", "-o", fifo.to_str().unwrap()])
        .await;
    assert!(reader.await.unwrap().starts_with("entry_number,"));
    let kind = std::fs::symlink_metadata(&fifo).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind));
}
