//! Bad luck on purpose: what is to happen in the middle of something must not depend on when a test happens to look.
//!
//! A test takes a lock that the wanted step needs, waits until a session is seen that waits for it, does its worst, and
//! lets go.

use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::Duration;
use tokio::time::Instant;

/// How long something may take that is waited for. Longer means that it hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What [`Hold::of`] takes to stop those who reach the step of [`stop_at`].
pub const STOP: &str = "SELECT pg_advisory_xact_lock(hashtext('stop'))";

/// A lock that is held, and a look at those who wait for it.
pub struct Hold {
    holder: PgConnection,
    pid: i32,
    watch: PgConnection,
}

/// Makes a step that no lock of a table tells apart: a change of rows, told as a trigger tells it, of which `when` is true.
/// Whoever comes there waits while [`STOP`] is held.
pub async fn stop_at(superuser_url: &str, change: &str, when: &str) {
    let statement = format!(
        "CREATE OR REPLACE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             PERFORM pg_advisory_xact_lock_shared(hashtext('stop'));
             RETURN NEW;
         END $$;
         CREATE {change} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION stop()"
    );
    let mut root = PgConnection::connect(superuser_url).await.unwrap();
    root.execute(statement.as_str()).await.unwrap();
    root.close().await.unwrap();
}

impl Hold {
    /// Takes a lock by a statement, such as `LOCK TABLE events IN SHARE MODE`, and keeps it.
    pub async fn of(superuser_url: &str, statement: &str) -> Hold {
        let mut holder = PgConnection::connect(superuser_url).await.unwrap();
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder);
        let pid = pid.await.unwrap();
        holder.execute("BEGIN").await.unwrap();
        holder.execute(statement).await.unwrap();
        Hold {
            holder,
            pid,
            // Within its transaction the holder would see the same sessions again and again.
            watch: PgConnection::connect(superuser_url).await.unwrap(),
        }
    }

    /// Waits until a session of an application waits for this; answers its process.
    pub async fn waits(&mut self, application: &str) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        let waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database() \
             AND $2 = ANY(pg_blocking_pids(pid)) LIMIT 1";
        loop {
            let query = sqlx::query_scalar(waiting).bind(application).bind(self.pid);
            if let Some(pid) = query.fetch_optional(&mut self.watch).await.unwrap() {
                return pid;
            }
            assert!(Instant::now() < deadline, "nobody of {application} comes here");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until a session of an application waits for this, and cuts it; what it has not committed is gone then.
    pub async fn cut(&mut self, application: &str) {
        let pid = self.waits(application).await;
        let patience = i64::try_from(PATIENCE.as_millis()).unwrap();
        let cut = sqlx::query_scalar("SELECT pg_terminate_backend($1, $2)")
            .bind(pid)
            .bind(patience);
        let is_gone: bool = cut.fetch_one(&mut self.watch).await.unwrap();
        assert!(is_gone, "{application} is not cut");
    }

    /// Lets everybody go on.
    pub async fn release(mut self) {
        self.holder.execute("ROLLBACK").await.unwrap();
    }
}
