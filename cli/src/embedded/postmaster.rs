//! The running server, as its `postmaster.pid` tells of it.
//!
//! A process id in a file may by now belong to somebody else: after a reboot, or when nobody reaped a dead server.
//! PostgreSQL then refuses to start, and `pg_ctl stop` would signal a stranger, so the process is looked at first.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::Error;

/// A living postmaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Postmaster {
    /// Its process id.
    pub pid: i32,
    /// Its port; unknown for a moment while it starts.
    pub port: Option<u16>,
}

impl Postmaster {
    /// The server that works on these data, if one does.
    pub(super) fn of(data: &Path) -> Result<Option<Self>, Error> {
        let path = data.join("postmaster.pid");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::file("read", &path)(source)),
        };
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.trim().parse::<i32>().ok());
        let port = lines.nth(2).and_then(|line| line.trim().parse().ok());
        Ok(pid
            .filter(|pid| *pid > 1 && lives(*pid) && works_on(*pid, data))
            .map(|pid| Self { pid, port }))
    }

    /// Removes a pid file that names a process that is no server of these data. PostgreSQL looks after one whose process
    /// is gone, but cannot tell a stranger from a server.
    pub(super) fn forget_stranger(data: &Path) -> Result<(), Error> {
        let path = data.join("postmaster.pid");
        let stranger = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.lines().next()?.trim().parse::<i32>().ok())
            .is_some_and(|pid| pid > 1 && lives(pid) && !works_on(pid, data));
        if stranger {
            tracing::warn!("{} names a process that is no server of it; removed", path.display());
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
        Ok(())
    }

    /// Sends it a signal that ends it, and waits until it is gone.
    pub(super) fn signal(self, signal: Signal, wait: Duration) {
        // It may be gone already.
        let _ = kill(Pid::from_raw(self.pid), signal);
        let began = Instant::now();
        while lives(self.pid) && began.elapsed() < wait {
            sleep(Duration::from_millis(50));
        }
    }
}

fn lives(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// Whether the process may be the server of these data; where that cannot be seen, the pid file is believed.
fn works_on(pid: i32, data: &Path) -> bool {
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => may_be_postmaster(&line, data),
        Err(_) => true,
    }
}

/// Judges a command line. It is empty for a dead process that nobody reaped; a server's own children change theirs to
/// `postgres: …`, and a server of other data says so.
fn may_be_postmaster(line: &[u8], data: &Path) -> bool {
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let program = arguments[0].rsplit(|byte| *byte == b'/').next();
    let named = arguments
        .iter()
        .position(|argument| *argument == b"-D")
        .and_then(|at| arguments.get(at + 1));
    matches!(program, Some(b"postgres" | b"postmaster"))
        && named.is_none_or(|folder| *folder == data.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_be_seen_is_not_gone() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(Postmaster::of(data.path()).unwrap(), None);
        // Reading it fails as it does where no more files may be open.
        fs::create_dir(data.path().join("postmaster.pid")).unwrap();
        let error = Postmaster::of(data.path()).unwrap_err().to_string();
        assert!(error.contains("postmaster.pid"), "{error}");
    }

    #[test]
    fn a_stranger_is_told_from_the_server() {
        let cases: [(&[u8], bool); 7] = [
            (b"/usr/lib/postgresql/15/bin/postgres\0-D\0/srv/data\0-p\x005\0", true),
            (b"postgres\0-p\x005\0", true),
            (b"postgres\0-D\0/srv/other\0", false),
            (b"postgres: checkpointer \0", false),
            (b"/bin/sleep\09\0", false),
            (b"/usr/bin/python3\0postgres\0", false),
            (b"", false),
        ];
        for (line, expected) in cases {
            let shown = String::from_utf8_lossy(line);
            assert_eq!(may_be_postmaster(line, Path::new("/srv/data")), expected, "{shown}");
        }
    }
}
