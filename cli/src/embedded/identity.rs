//! Under which user PostgreSQL's programs run.
//!
//! PostgreSQL refuses root, and containers and build machines often have nothing else. Then its programs run as the
//! user `postgres`, or `nobody`, and only the server's own folder is given to that user: passwords stay with us.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use super::error::Error;

/// What the programs get of our environment.
const INHERITED: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// The user that PostgreSQL's programs run as.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    name: String,
    /// None when that is the user we run as ourselves.
    switch: Option<(Uid, Gid)>,
}

impl Identity {
    /// Chooses the user: ourselves unless we are root, and whoever owns the data if there is any.
    pub(super) fn choose(data: &Path) -> Result<Self, Error> {
        let us = geteuid();
        let owner = match data.metadata() {
            Ok(found) => Some((Uid::from_raw(found.uid()), Gid::from_raw(found.gid()))),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::file("look into", data)(source)),
        };
        match owner {
            Some((uid, _)) if !us.is_root() && uid != us => Err(Error::Foreign {
                data: data.to_owned(),
                owner: uid.as_raw(),
            }),
            _ if !us.is_root() => Ok(Self {
                name: name_of(us),
                switch: None,
            }),
            Some((uid, gid)) if !uid.is_root() => Ok(Self {
                name: name_of(uid),
                switch: Some((uid, gid)),
            }),
            _ => ["postgres", "nobody"]
                .into_iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .filter(|user| !user.uid.is_root())
                .map(|user| Self {
                    name: user.name,
                    switch: Some((user.uid, user.gid)),
                })
                .ok_or(Error::NoUser),
        }
    }

    /// The user's name, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A command under this user. Of our environment it gets only what programs need to be found and loaded: tokens and
    /// URLs with passwords are not for a user who may be another, and PGDATA, PGPORT and the like are meant for some other
    /// cluster.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            // Our own folder may be one that the user cannot enter, and the programs insist on knowing theirs.
            .current_dir("/")
            // Messages are read by this module, so they must not be translated.
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        if let Some((uid, gid)) = self.switch {
            // Setting the uid as root also clears the supplementary groups.
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    /// Whether the user can enter the folder. It is tried rather than computed: modes, ACLs and mounts all have a say.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        self.command(Path::new("/bin/sh"))
            .args(["-c", "cd \"$0\""])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Gives a file or folder to the user.
    pub(super) fn give(&self, path: &Path) -> Result<(), Error> {
        match self.switch {
            Some((uid, gid)) => {
                chown(path, Some(uid), Some(gid)).map_err(|errno| Error::file("give away", path)(errno.into()))
            }
            None => Ok(()),
        }
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
