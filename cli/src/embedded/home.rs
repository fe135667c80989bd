//! Where everything lies, and what has to be remembered from one start to the next.
//!
//! ```text
//! <home>/postgres.lock           held while one process starts or stops the server
//! <home>/postgres.holders        shared by every process that uses it
//! <home>/postgres.json           place, port and version, to find the cluster again
//! <home>/postgres.secrets.json   the passwords, for our eyes only
//! <place>/postgres/              the server's own folder: data, server.log
//! <place>/postgresql/<version>/  programs that were fetched
//! ```
//! The place is the home itself, unless the server's user cannot enter it (see [`super::identity`]).

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::identity::Identity;
use super::postmaster::Postmaster;

/// Folders that every user can enter, best first, for a home that not everybody can.
const PLACES: [&str; 2] = ["/var/lib/viral-engine", "/var/tmp/viral-engine"];

/// The platform's folder, usually `.viral`.
#[derive(Debug, Clone)]
pub(super) struct Home(PathBuf);

/// What `postgres.json` remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Where the server's folder and fetched programs are, if not in the home: a home may be moved.
    pub elsewhere: Option<PathBuf>,
    /// The port of the last start; taken again while it is free, so that URLs people noted stay good.
    pub port: Option<u16>,
    /// The server's version, such as `16.10`.
    pub version: String,
}

impl Home {
    /// Makes the folder if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::file("create", path))?;
        let path = path.canonicalize().map_err(Error::file("find", path))?;
        // pg_ctl hands the path to a shell, between double quotes.
        if path.to_string_lossy().contains(['"', '$', '`', '\\', '\n']) {
            return Err(Error::UnsafePath { path });
        }
        Ok(Self(path))
    }

    /// The folder if it is there.
    pub(super) fn existing(path: &Path) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("postgres.lock")
    }

    pub(super) fn holders(&self) -> PathBuf {
        self.0.join("postgres.holders")
    }

    pub(super) fn secrets(&self) -> PathBuf {
        self.0.join("postgres.secrets.json")
    }

    fn memory_file(&self) -> PathBuf {
        self.0.join("postgres.json")
    }

    pub(super) fn memory(&self) -> Result<Option<Memory>, Error> {
        read_json(&self.memory_file())
    }

    pub(super) fn remember(&self, memory: &Memory) -> Result<(), Error> {
        write_json(&self.memory_file(), memory, 0o644)
    }

    /// The place that was chosen at an earlier start.
    pub(super) fn place(&self, memory: &Memory) -> PathBuf {
        memory.elsewhere.clone().unwrap_or_else(|| self.0.clone())
    }

    /// The home, unless another place is known.
    pub(super) fn place_or_home(&self, known: Option<&Path>) -> PathBuf {
        known.unwrap_or(&self.0).to_owned()
    }

    /// Makes a known place if somebody removed it.
    pub(super) fn make_place(&self, place: &Path) -> Result<(), Error> {
        if place == self.0 {
            return Ok(());
        }
        make_ours(place).map_err(Error::file("create", place))
    }

    /// The place in the form in which it is remembered.
    pub(super) fn elsewhere(&self, place: &Path) -> Option<PathBuf> {
        (place != self.0).then(|| place.to_owned())
    }

    /// Sets data aside that an earlier home of this path left behind outside it. Whoever removed that home wants to begin
    /// afresh, its passwords are gone with it, and yet a ledger is nothing to delete unasked. Where the passwords are still
    /// there, nobody removed the home, only the memory was lost: that is refused, and so is a server that does not stop.
    pub(super) fn set_orphans_aside(&self, wait: Duration) -> Result<(), Error> {
        for place in &self.places()[1..] {
            let orphan = data(place);
            if !orphan.exists() {
                continue;
            }
            if self.secrets().exists() {
                return Err(Error::PlaceLost {
                    path: self.memory_file(),
                    place: place.clone(),
                    secrets: self.secrets(),
                });
            }
            if let Some(running) = Postmaster::of(&orphan)? {
                running.signal(Signal::SIGINT, wait);
            }
            if let Some(stubborn) = Postmaster::of(&orphan)? {
                return Err(Error::OrphanRuns {
                    pid: stubborn.pid,
                    data: orphan,
                    waited: wait,
                });
            }
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            let aside = orphan.with_extension(format!("old-{}", now.as_secs()));
            fs::rename(&orphan, &aside).map_err(Error::file("set aside", &orphan))?;
            tracing::warn!(
                "the database of an earlier {} is still there and was set aside: {}",
                self.0.display(),
                aside.display()
            );
        }
        Ok(())
    }

    /// A folder for the server that its user can really enter, made if need be.
    pub(super) fn choose_place(&self, identity: &Identity) -> Result<PathBuf, Error> {
        for place in self.places() {
            if place != self.0 && make_ours(&place).is_err() {
                continue;
            }
            if identity.reaches(&place) {
                if place != self.0 {
                    tracing::info!(
                        "PostgreSQL runs as user `{}`, which cannot enter {}; its data is in {}",
                        identity.name(),
                        self.0.display(),
                        place.display()
                    );
                }
                return Ok(place);
            }
        }
        Err(Error::Unreachable {
            folder: self.0.clone(),
            user: identity.name().to_owned(),
        })
    }

    fn places(&self) -> Vec<PathBuf> {
        let digest = Sha256::digest(self.0.as_os_str().as_encoded_bytes());
        let name = hex::encode(&digest[..8]);
        std::iter::once(self.0.clone())
            .chain(PLACES.iter().map(|base| Path::new(base).join(&name)))
            .collect()
    }
}

/// The server's own folder in a place.
pub(super) fn server(place: &Path) -> PathBuf {
    place.join("postgres")
}

/// The data folder in a place.
pub(super) fn data(place: &Path) -> PathBuf {
    server(place).join("data")
}

/// The server's log in a place.
pub(super) fn log(place: &Path) -> PathBuf {
    server(place).join("server.log")
}

/// Makes a folder and the one above it, and refuses what somebody else may have put there before us: anybody can make
/// folders in `/var/tmp`.
fn make_ours(place: &Path) -> std::io::Result<()> {
    for folder in place.ancestors().take(2).collect::<Vec<_>>().iter().rev() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        let found = folder.symlink_metadata()?;
        if !found.is_dir() || found.uid() != geteuid().as_raw() {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
    }
    Ok(())
}

/// Reads a file of ours; none is not an error.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::file("read", path)(source)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        why: error.to_string(),
    })
}

/// Writes a file of ours beside its place and renames it, so that a kill or a power cut leaves the old one or the new.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T, mode: u32) -> Result<(), Error> {
    let beside = path.with_extension("json.partial");
    let text = serde_json::to_vec_pretty(value).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    // A left-over would keep its own mode.
    let _ = fs::remove_file(&beside);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| sync_folder(path))
        .map_err(Error::file("write", path))
}

/// Makes a rename in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
