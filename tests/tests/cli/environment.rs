//! A database is a developer's or used in earnest, and secrets are not shown.

use super::journey::Desk;
use serde_json::json;
use viral_tests::process::{Platform, TOKEN, free_port, run, viral};
use viral_tests::server;

/// Runs a role without `--dev` over the desk's database; it must be refused.
async fn refused(desk: &Desk, arguments: &[&str]) -> String {
    let mut command = viral(&desk.folder.path().join("home"), arguments);
    command
        .env("DATABASE_URL", &desk.database.superuser_url)
        .env("VIRAL_API_TOKEN", TOKEN)
        .env("VIRAL_MASTER_KEY", "07".repeat(32));
    let (code, _, stderr) = run(command).await;
    assert_eq!(code, 1, "{stderr}");
    stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developers_database_is_not_used_in_earnest_and_the_other_way_round() {
    let desk = Desk::new().await;
    let url = desk.database.superuser_url.clone();
    let port = free_port();
    let platform = Platform::start(&desk.folder.path().join("home"), port, Some(&url)).await;
    let body = json!({"role": "creator", "display_name": "A creator"});
    platform.client.posted("/v1/dev/users", "k1", &body).await;
    platform.stop().await;
    for role in [
        &["up", "--listen", "127.0.0.1:0"][..],
        &["api", "--listen", "127.0.0.1:0"],
        &["work"],
    ] {
        let text = refused(&desk, role).await;
        assert!(
            text.contains("used with --dev") && text.contains("DATABASE_URL"),
            "{text}"
        );
    }
    // From before there were marks: its users say what it is.
    server::run(&url, "DELETE FROM environment").await.unwrap();
    let text = refused(&desk, &["work"]).await;
    assert!(text.contains("used with --dev"), "{text}");
    server::run(&url, "UPDATE environment SET name = 'production'")
        .await
        .unwrap();
    for role in [&["up", "--dev", "--listen", "127.0.0.1:0"][..], &["work", "--dev"]] {
        let text = refused(&desk, role).await;
        assert!(text.contains("used without --dev"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_shown_unless_it_is_asked_for() {
    let desk = Desk::new().await;
    let url = &desk.database.superuser_url;
    let password = url.split([':', '@']).nth(2).unwrap();
    for format in [&["doctor"][..], &["doctor", "--json"]] {
        let (code, stdout, stderr) = desk.viral(format).await;
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains(":***@"), "{stdout}");
        assert!(
            !stdout.contains(password) && !stderr.contains(password),
            "{stdout}{stderr}"
        );
        let (_, stdout, _) = desk.viral(&[format, &["--show-secrets"]].concat()).await;
        assert!(stdout.contains(url.as_str()), "{stdout}");
    }
    // A token that was given is not printed; nobody reads standard output of a server but its log.
    let mut command = viral(
        &desk.folder.path().join("home"),
        &["up", "--dev", "--listen", "127.0.0.1:0"],
    );
    command
        .env("DATABASE_URL", url)
        .env("VIRAL_API_TOKEN", TOKEN)
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let mut told = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        told.push_str(&line);
        if line.contains("Ctrl-C") {
            break;
        }
    }
    assert!(told.contains("$VIRAL_API_TOKEN") && !told.contains(TOKEN), "{told}");
    child.kill().await.unwrap();
}

/// What is wrong with a URL is said by every command alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_cannot_be_read_is_told_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["migrate"][..],
        &["up", "--dev", "--listen", "127.0.0.1:0"],
        &["audit", "verify"],
    ] {
        for url in [
            "mysql://viral:secret@127.0.0.1/viral",
            "postgres://viral:secret/word@127.0.0.1/viral",
        ] {
            let mut command = viral(folder.path(), command);
            command.env("DATABASE_URL", url);
            let (code, _, stderr) = run(command).await;
            assert_eq!(code, 1, "{stderr}");
            assert!(
                stderr.contains("postgres://user:password@host") && !stderr.contains("secret"),
                "{stderr}"
            );
        }
    }
}
