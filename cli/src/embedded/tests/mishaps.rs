//! Kills, left-overs, lost files and strangers: a start finds its way through all of them or says plainly why not.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid, getsid};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::super::lock::Lock;
use super::super::logins::APP;
use super::super::{Error, Options, Postgres};
use super::{TestHome, connect, text};

#[tokio::test]
async fn committed_data_survive_a_killed_server() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let url = postgres.owner_url().to_owned();
    let mut connection = connect(&url).await;
    connection.execute("CREATE TABLE kept (n int)").await.unwrap();
    connection.execute("INSERT INTO kept VALUES (1)").await.unwrap();
    kill(Pid::from_raw(postgres.pid().unwrap()), Signal::SIGKILL).unwrap();
    let again = home.start().await;
    assert!(!again.adopted());
    assert!(!postgres.release().await.unwrap());
    // Somebody else may have taken the port meanwhile.
    let url = again.owner_url().to_owned();
    let count = "SELECT count(*)::text FROM kept";
    assert_eq!(text(&url, count).await, "1");

    again.stop_immediate().await.unwrap();
    assert_eq!(again.pid(), None);
    assert!(PgConnection::connect(&url).await.is_err());
    again.restart().await.unwrap();
    again.restart().await.unwrap();
    assert_eq!(text(&url, count).await, "1");
    assert!(again.release().await.unwrap());
}

/// A stopped server lives, but answers nothing.
#[tokio::test]
async fn a_hung_server_is_put_down_only_when_nobody_else_uses_it() {
    let home = TestHome::new(false);
    let mut postgres = home.start().await;
    let url = postgres.owner_url().to_owned();
    connect(&url)
        .await
        .execute("CREATE TABLE kept AS SELECT 'yes' AS answer")
        .await
        .unwrap();
    let pid = postgres.pid().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    let hurried = Options {
        wait: Duration::from_secs(1),
        ..home.options()
    };
    let refused = Postgres::start(&hurried).await.unwrap_err();
    assert!(
        matches!(refused, Error::HungInUse { pid: hung, .. } if hung == pid),
        "{refused}"
    );
    assert_eq!(postgres.pid(), Some(pid), "it was left alone");

    // What a killed process does.
    postgres.share = None;
    let again = home.start().await;
    assert!(!again.adopted());
    assert_ne!(again.pid(), Some(pid));
    assert_eq!(text(again.owner_url(), "SELECT answer FROM kept").await, "yes");
    let beside = home.start().await;
    assert!(beside.adopted());
    assert!(!again.release().await.unwrap(), "a share and not all of it was kept");
    assert!(beside.release().await.unwrap());
}

/// Data are outside the home only when root runs the test.
#[tokio::test]
async fn data_outside_the_home_are_not_set_aside_while_they_are_in_use() {
    if !geteuid().is_root() {
        return;
    }
    let home = TestHome::new(true);
    let mut postgres = home.start().await;
    let (data, url) = (postgres.data_dir().to_owned(), postgres.owner_url().to_owned());
    let create = "CREATE TABLE kept AS SELECT 'yes' AS answer";
    connect(&url).await.execute(create).await.unwrap();
    let memory = home.path().join("postgres.json");
    std::fs::remove_file(&memory).unwrap();
    let refused = Postgres::start(&home.options()).await.unwrap_err();
    assert!(matches!(refused, Error::PlaceLost { .. }), "{refused}");
    assert_eq!(text(&url, "SELECT answer FROM kept").await, "yes");
    // What the message says to do.
    let said = refused.to_string();
    let json = &said[said.find('{').unwrap()..=said.find('}').unwrap()];
    std::fs::write(&memory, json).unwrap();
    let again = home.start().await;
    assert_eq!(again.pid(), postgres.pid());
    assert!(!again.release().await.unwrap());

    // A server that takes no signal, of a home that was removed.
    let pid = Pid::from_raw(postgres.pid().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    postgres.share = None;
    std::fs::remove_dir_all(home.path()).unwrap();
    let hurried = Options {
        wait: Duration::from_millis(500),
        ..home.options()
    };
    let refused = Postgres::start(&hurried).await.unwrap_err();
    assert!(
        matches!(refused, Error::OrphanRuns { pid: orphan, .. } if orphan == pid.as_raw()),
        "{refused}"
    );
    assert!(data.join("PG_VERSION").exists(), "it was left in place");
    kill(pid, Signal::SIGCONT).unwrap();
    let afresh = home.start().await;
    assert_ne!(afresh.pid(), Some(pid.as_raw()));
    assert!(afresh.release().await.unwrap());
}

#[tokio::test]
async fn a_start_goes_on_where_a_killed_one_stopped() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let superuser = postgres.superuser_url().replace("/viral", "/postgres");
    let mut connection = connect(&superuser).await;
    connection.execute("DROP DATABASE viral WITH (FORCE)").await.unwrap();
    connection.execute("DROP ROLE viral_app").await.unwrap();
    connection.close().await.unwrap();
    let folder = postgres.data_dir().parent().unwrap().to_owned();
    assert!(postgres.release().await.unwrap());
    std::fs::create_dir(folder.join("data.partial-1")).unwrap();
    std::fs::write(folder.join("initdb.password-1"), "left over").unwrap();
    // A pid that lives and is no server: our own.
    let pid_file = folder.join("data/postmaster.pid");
    std::fs::write(&pid_file, format!("{}\n", std::process::id())).unwrap();

    let postgres = home.start().await;
    let role = text(postgres.app_url(), "SELECT current_user::text").await;
    assert_eq!(role, APP);
    assert!(!folder.join("data.partial-1").exists());
    assert!(!folder.join("initdb.password-1").exists());
    assert!(postgres.release().await.unwrap());
}

#[tokio::test]
async fn lost_passwords_and_a_taken_lock_are_told_plainly() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let hurried = Options {
        wait: Duration::from_millis(200),
        ..home.options()
    };
    let door = Lock::exclusive(&home.path().join("postgres.lock"), Duration::from_millis(200)).unwrap();
    let refused = Postgres::start(&hurried).await.unwrap_err();
    assert!(matches!(refused, Error::Busy { .. }), "{refused}");
    drop(door);
    assert!(postgres.release().await.unwrap());

    std::fs::remove_file(home.path().join("postgres.secrets.json")).unwrap();
    let refused = Postgres::start(&home.options()).await.unwrap_err();
    assert!(matches!(refused, Error::PasswordsLost { .. }), "{refused}");
}

#[tokio::test]
async fn a_taken_port_is_left_alone() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let port = postgres.port();
    assert!(postgres.release().await.unwrap());
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let postgres = home.start().await;
    assert_ne!(postgres.port(), port);
    assert!(postgres.release().await.unwrap());
}

#[tokio::test]
async fn the_server_is_out_of_reach_of_our_terminal() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let server = Pid::from_raw(postgres.pid().unwrap());
    assert_ne!(getsid(Some(server)), getsid(None));
    assert_eq!(getsid(Some(server)), Ok(server), "it leads a session of its own");
    assert!(postgres.release().await.unwrap());
}

/// Not a test of its own: the process that [`a_killed_process_leaves_the_server_to_the_next`] kills.
#[tokio::test]
#[ignore = "run by another test, as a process to be killed"]
async fn holder() {
    let Some(home) = std::env::var_os("EMBEDDED_TEST_HOME") else {
        return;
    };
    let postgres = Postgres::start(&Options::new(PathBuf::from(home))).await.unwrap();
    println!("pid={}", postgres.pid().unwrap());
    std::thread::sleep(Duration::from_secs(600));
}

/// Starts a [`holder`] that has secrets in its environment; answers it and the server's process id.
fn spawn_holder(home: &TestHome) -> (Child, i32) {
    use std::io::{BufRead as _, BufReader};
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg(concat!(module_path!(), "::holder").split_once("::").unwrap().1)
        .env("EMBEDDED_TEST_HOME", home.path())
        .env("VIRAL_API_TOKEN", "a-secret-token")
        .env(
            "DATABASE_URL",
            "postgres://somebody:a-secret-password@example.org/other",
        )
        .env("PGOPTIONS", "-c search_path=elsewhere")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .find_map(|line| line.unwrap().split_once("pid=")?.1.parse().ok())
        .unwrap();
    (child, pid)
}

#[tokio::test]
async fn the_server_gets_no_secrets_of_our_environment() {
    let home = TestHome::new(false);
    let (mut child, pid) = spawn_holder(&home);
    let environ = std::fs::read(format!("/proc/{pid}/environ"));
    child.kill().unwrap();
    child.wait().unwrap();
    // Now the server is ours, and stops with us.
    let postgres = home.start().await;
    assert_eq!(postgres.pid(), Some(pid));
    assert!(postgres.release().await.unwrap());
    // Not every system has it, and not every user may read it.
    let Ok(environ) = environ else {
        return;
    };
    let environ = String::from_utf8_lossy(&environ);
    let set = |name: &str| environ.split('\0').any(|entry| entry.starts_with(name));
    assert!(set("LC_ALL=C"), "{environ}");
    for name in ["VIRAL_", "DATABASE_URL=", "PGOPTIONS=", "EMBEDDED_TEST_HOME="] {
        assert!(!set(name), "{name} in {environ}");
    }
    assert!(!environ.contains("a-secret"), "{environ}");
}

#[tokio::test]
async fn a_killed_process_leaves_the_server_to_the_next() {
    let home = TestHome::new(false);
    let (mut child, pid) = spawn_holder(&home);
    child.kill().unwrap();
    child.wait().unwrap();

    let postgres = home.start().await;
    assert!(postgres.adopted());
    assert_eq!(postgres.pid(), Some(pid));
    assert!(postgres.release().await.unwrap(), "the dead hold no share");
}
