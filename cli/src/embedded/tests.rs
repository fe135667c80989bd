//! The real thing: clusters in temporary homes, as whatever user runs the tests. What goes wrong on purpose is in
//! [`mishaps`].

mod mishaps;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::PathBuf;

use nix::unistd::geteuid;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::logins::{APP, OWNER, SUPERUSER};
use super::{Options, Postgres, discover, home};

/// A temporary home; what a root test leaves outside it goes with it.
struct TestHome {
    folder: tempfile::TempDir,
    open: bool,
}

impl TestHome {
    /// A home that every user can enter, unless it is to be `closed`.
    fn new(closed: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = if closed { 0o700 } else { 0o755 };
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
        Self { folder, open: !closed }
    }

    fn path(&self) -> PathBuf {
        // Quotes and spaces have to survive pg_ctl's shell.
        self.folder.path().join("it's a home")
    }

    fn options(&self) -> Options {
        Options::new(self.path())
    }

    async fn start(&self) -> Postgres {
        Postgres::start(&self.options()).await.unwrap()
    }
}

impl Drop for TestHome {
    fn drop(&mut self) {
        let Some(home) = home::Home::existing(&self.path()) else {
            return;
        };
        if let Ok(Some(memory)) = home.memory()
            && !self.open
            && let Some(elsewhere) = memory.elsewhere
        {
            let _ = std::fs::remove_dir_all(elsewhere);
        }
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn text(url: &str, query: &str) -> String {
    let mut connection = connect(url).await;
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

fn mode(path: &std::path::Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_cluster_starts_with_three_logins_and_durable_settings() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    assert!(!postgres.adopted());
    for (url, role) in [
        (postgres.superuser_url(), SUPERUSER),
        (postgres.owner_url(), OWNER),
        (postgres.app_url(), APP),
    ] {
        assert_eq!(text(url, "SELECT current_user::text").await, role);
        assert_eq!(text(url, "SELECT current_database()::text").await, "viral");
        let superuser = text(url, "SHOW is_superuser").await;
        assert_eq!(superuser == "on", role == SUPERUSER);
    }
    let owner = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'viral'";
    assert_eq!(text(postgres.app_url(), owner).await, OWNER);
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("password_encryption", "scram-sha-256"),
        ("TimeZone", "UTC"),
    ] {
        let query = if setting == "lc_collate" {
            "SELECT datcollate::text FROM pg_database WHERE datname = 'viral'".to_owned()
        } else {
            format!("SHOW {setting}")
        };
        assert_eq!(text(postgres.superuser_url(), &query).await, value, "{setting}");
    }
    assert!(postgres.release().await.unwrap());
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_and_nobody_else_can_read_it() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    for role in [SUPERUSER, APP] {
        let guess = format!("postgres://{role}:{role}@127.0.0.1:{}/viral", postgres.port());
        assert!(PgConnection::connect(&guess).await.is_err());
    }
    let secrets = home.path().join("postgres.secrets.json");
    assert_eq!(mode(&secrets), 0o600);
    assert_eq!(
        secrets.metadata().unwrap().uid(),
        geteuid().as_raw(),
        "the server's user must not own it"
    );
    assert_eq!(mode(postgres.data_dir()), 0o700);
    let shown = format!("{postgres:?} {:?}", discover(&home.path()).unwrap());
    let password = postgres.app_url().split([':', '@']).nth(2).unwrap();
    assert!(!shown.contains(password));
    let folder = postgres.data_dir().parent().unwrap();
    let names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "only data and log: {names:?}");
    assert!(postgres.release().await.unwrap());
}

#[tokio::test]
async fn the_last_holder_stops_the_server_and_the_next_start_keeps_port_and_data() {
    let home = TestHome::new(false);
    assert!(discover(&home.path()).unwrap().is_none());
    let first = home.start().await;
    let second = home.start().await;
    assert!(second.adopted());
    assert_eq!(first.pid(), second.pid());
    assert_eq!(first.app_url(), second.app_url());
    let found = discover(&home.path()).unwrap().unwrap();
    assert_eq!(found.app_url, first.app_url());
    assert_eq!(found.version, first.version());

    let url = first.owner_url().to_owned();
    connect(&url)
        .await
        .execute("CREATE TABLE kept AS SELECT 'yes' AS answer")
        .await
        .unwrap();
    assert!(!first.release().await.unwrap());
    assert_eq!(text(&url, "SELECT answer FROM kept").await, "yes");
    assert!(second.release().await.unwrap());
    assert!(PgConnection::connect(&url).await.is_err());
    assert!(discover(&home.path()).unwrap().is_none());

    let third = home.start().await;
    assert!(!third.adopted());
    assert_eq!(third.owner_url(), url);
    assert_eq!(text(&url, "SELECT answer FROM kept").await, "yes");
    assert!(third.release().await.unwrap());
}

/// The login of the platform may take on the role of the read models, and has its rights only then; a cluster from
/// before that role gets it at the next start.
#[tokio::test]
async fn the_role_of_the_read_models_is_taken_on_never_inherited() {
    let home = TestHome::new(false);
    let postgres = home.start().await;
    let mut superuser = connect(postgres.superuser_url()).await;
    for statement in ["DROP ROLE viral_projector", "ALTER ROLE viral_app INHERIT"] {
        superuser.execute(statement).await.unwrap();
    }
    superuser.close().await.unwrap();
    assert!(postgres.release().await.unwrap());
    let postgres = home.start().await;
    let mut app = connect(postgres.app_url()).await;
    let inherits: bool = sqlx::query_scalar("SELECT pg_has_role('viral_projector', 'USAGE')")
        .fetch_one(&mut app)
        .await
        .unwrap();
    assert!(!inherits);
    app.execute("SET ROLE viral_projector").await.unwrap();
    app.close().await.unwrap();
    assert!(postgres.release().await.unwrap());
}

#[tokio::test]
async fn a_home_that_the_server_cannot_enter_gets_its_data_elsewhere() {
    let home = TestHome::new(true);
    let postgres = home.start().await;
    let inside = postgres.data_dir().starts_with(home.path().canonicalize().unwrap());
    assert_eq!(inside, !geteuid().is_root());
    let place = postgres.data_dir().to_owned();
    assert!(postgres.release().await.unwrap());
    let again = home.start().await;
    assert_eq!(again.data_dir(), place);
    drop(again);

    // Whoever removes the home begins afresh, and still nothing is lost.
    std::fs::remove_dir_all(home.path()).unwrap();
    let afresh = home.start().await;
    let count = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(text(afresh.app_url(), count).await, "0");
    if geteuid().is_root() {
        let kept = std::fs::read_dir(place.parent().unwrap())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with("data.old-"))
            .count();
        assert_eq!(kept, 1);
    }
    assert!(afresh.release().await.unwrap());
}
