//! Making, starting and stopping the cluster with PostgreSQL's own programs.
//!
//! `pg_ctl` knows how to put the server into the background, into a session of its own (so that Ctrl-C in our terminal
//! does not reach it and we can shut down in order), and how to wait for it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::{Error, log_tail};
use super::home;
use super::identity::Identity;
use super::logins::SUPERUSER;
use super::postmaster::Postmaster;
use super::programs::Programs;

/// Settings of every cluster. Durability stays as PostgreSQL ships it: an acknowledged commit is on the disk.
const SETTINGS: &str = "
# Viral Engine
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 200
max_wal_size = '2GB'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
";

/// Names of what only exists while the data folder is made, and of what a killed start leaves behind.
const PARTIAL: &str = "data.partial-";
const PASSWORD: &str = "initdb.password-";

/// How long the remains of a killed server may keep its shared memory.
const LINGER: Duration = Duration::from_secs(10);
/// A log larger than this is set aside at the next start.
const LOG_BYTES: u64 = 16 << 20;

/// A cluster: who runs it, with which programs, where.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub identity: Identity,
    pub programs: Programs,
    pub place: PathBuf,
}

/// How a start ended.
pub(super) enum Start {
    Done,
    /// Somebody took the port since we looked.
    PortTaken,
}

impl Cluster {
    pub(super) fn data(&self) -> PathBuf {
        home::data(&self.place)
    }

    pub(super) fn log(&self) -> PathBuf {
        home::log(&self.place)
    }

    /// Makes the server's own folder, and removes what a killed start left in it.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        let folder = home::server(&self.place);
        if !folder.exists() {
            fs::DirBuilder::new()
                .mode(0o700)
                .create(&folder)
                .map_err(Error::file("create", &folder))?;
        }
        self.identity.give(&folder)?;
        let entries = fs::read_dir(&folder).map_err(Error::file("read", &folder))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // An initdb that outlived us may still be filling it; then it goes at a later start.
            if name.starts_with(PARTIAL) {
                let _ = fs::remove_dir_all(entry.path());
            } else if name.starts_with(PASSWORD) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Makes the data folder under another name and renames it when it is complete.
    pub(super) fn init(&self, password: &str) -> Result<(), Error> {
        tracing::info!(
            "making a PostgreSQL {} cluster in {}",
            self.programs.version,
            self.data().display()
        );
        // Another name every time: an initdb whose parent was killed goes on, and must not meet the next one.
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random).map_err(Error::Random)?;
        let (folder, tag) = (home::server(&self.place), hex::encode(random));
        let partial = folder.join(format!("{PARTIAL}{tag}"));
        let file = folder.join(format!("{PASSWORD}{tag}"));
        let made = self
            .write_password(&file, password)
            .and_then(|()| self.initdb(&partial, &file));
        let _ = fs::remove_file(&file);
        made?;
        let settings = partial.join("postgresql.conf");
        fs::OpenOptions::new()
            .append(true)
            .open(&settings)
            .and_then(|mut config| {
                config.write_all(SETTINGS.as_bytes())?;
                config.sync_all()
            })
            .map_err(Error::file("write", &settings))?;
        let data = self.data();
        fs::rename(&partial, &data)
            .and_then(|()| home::sync_folder(&data))
            .map_err(Error::file("rename to", &data))
    }

    /// Starts the server and waits until it takes connections.
    pub(super) fn start(&self, port: u16, wait: Duration) -> Result<Start, Error> {
        let log = self.log();
        let since = self.turn_log();
        Postmaster::forget_stranger(&self.data())?;
        let began = Instant::now();
        loop {
            let mut command = self.pg_ctl("start", wait);
            command.arg("-l").arg(&log);
            command.arg("-o").arg(format!("-p {port}"));
            let failed = match run(command, "pg_ctl start") {
                Ok(()) => return Ok(Start::Done),
                Err(failed) => failed,
            };
            let tail = log_tail(&log, since);
            let said = tail.as_ref().map_or("", |(_, lines)| lines.as_str());
            if said.contains("could not bind") {
                return Ok(Start::PortTaken);
            }
            // After a kill its children need a moment to notice and go.
            if said.contains("still in use") && began.elapsed() < LINGER {
                sleep(Duration::from_millis(250));
                continue;
            }
            if let Some(alive) = Postmaster::of(&self.data())? {
                return Err(Error::NotAnswering {
                    pid: alive.pid,
                    waited: wait,
                    why: "it is still starting".to_owned(),
                    log: tail,
                });
            }
            return Err(with_log(failed, tail));
        }
    }

    /// Stops the server: `fast` ends connections and writes a checkpoint, `immediate` is a crash on purpose.
    pub(super) fn stop(&self, mode: &str, wait: Duration) -> Result<(), Error> {
        if Postmaster::of(&self.data())?.is_none() {
            return Ok(());
        }
        let mut command = self.pg_ctl("stop", wait);
        // A second Ctrl-C would otherwise end the one who waits for an orderly end.
        command.args(["-m", mode]).process_group(0);
        run(command, "pg_ctl stop").map_err(|failed| with_log(failed, log_tail(&self.log(), 0)))
    }

    /// Gets rid of a server that lives but does not answer.
    pub(super) fn put_down(&self) -> Result<(), Error> {
        let stopped = self.stop("immediate", Duration::from_secs(5));
        match (stopped, Postmaster::of(&self.data())?) {
            (_, None) => Ok(()),
            (_, Some(stubborn)) => {
                // A process that was stopped takes no other signal. Committed data are safe: the next start recovers.
                stubborn.signal(Signal::SIGKILL, Duration::from_secs(5));
                Ok(())
            }
        }
    }

    fn pg_ctl(&self, action: &str, wait: Duration) -> Command {
        let mut command = self.identity.command(&self.programs.path("pg_ctl"));
        command
            .args([action, "-s", "-w", "-t"])
            .arg(wait.as_secs().max(1).to_string())
            .arg("-D")
            .arg(self.data());
        command
    }

    fn initdb(&self, partial: &Path, password: &Path) -> Result<(), Error> {
        let mut command = self.identity.command(&self.programs.path("initdb"));
        command
            .arg("-D")
            .arg(partial)
            .arg("--pwfile")
            .arg(password)
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256"])
            .args(["--encoding", "UTF8", "--locale", "C"])
            .args(["--data-checksums", "--no-instructions"]);
        run(command, "initdb")
    }

    fn write_password(&self, path: &Path, password: &str) -> Result<(), Error> {
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(password.as_bytes()))
            .map_err(Error::file("write", path))?;
        self.identity.give(path)
    }

    /// Sets a large log aside, so that it cannot grow for ever; answers where the new lines will begin.
    fn turn_log(&self) -> u64 {
        let log = self.log();
        let size = log.metadata().map_or(0, |found| found.len());
        if size > LOG_BYTES && fs::rename(&log, log.with_extension("log.1")).is_ok() {
            return 0;
        }
        size
    }
}

/// Runs a program to its end. The server it may leave behind writes to its log, so the pipes close with the program.
fn run(mut command: Command, name: &str) -> Result<(), Error> {
    let program = command.get_program().to_owned();
    let output = command.output().map_err(Error::file("run", Path::new(&program)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::Program {
        program: name.to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&said).trim().to_owned(),
        log: None,
    })
}

fn with_log(failed: Error, tail: Option<(PathBuf, String)>) -> Error {
    match failed {
        Error::Program {
            program,
            status,
            output,
            ..
        } => Error::Program {
            program,
            status,
            output,
            log: tail,
        },
        other => other,
    }
}
