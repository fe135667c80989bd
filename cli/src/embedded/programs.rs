//! Finding PostgreSQL's programs: what is installed comes first, because somebody keeps that up to date.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;
use super::fetch;
use super::identity::Identity;

const OLDEST: u32 = 15;
const NEWEST: u32 = 18;

/// A folder of programs that was tried and works.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    folder: PathBuf,
    /// Such as `16.10`.
    pub version: String,
}

/// Where the person wants the programs from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Installed ones, else fetched ones.
    Any,
    /// Fetched ones even if there are installed ones.
    Fetched,
    /// The ones in this folder and no others.
    Folder(PathBuf),
}

/// Which major versions will do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Any that the platform is tested with.
    Supported,
    /// The one that made the data; another cannot read them.
    Exactly(u32),
}

impl Wanted {
    fn includes(self, major: u32) -> bool {
        match self {
            Self::Supported => (OLDEST..=NEWEST).contains(&major),
            Self::Exactly(wanted) => major == wanted,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supported => write!(formatter, "{OLDEST} to {NEWEST}"),
            Self::Exactly(major) => write!(formatter, "{major}"),
        }
    }
}

impl Source {
    /// Reads `VIRAL_POSTGRES_BIN` and `VIRAL_POSTGRES`.
    pub(super) fn from_env() -> Result<Self, Error> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match (set("VIRAL_POSTGRES"), set("VIRAL_POSTGRES_BIN")) {
            (Some(value), _) if value == "fetch" => Ok(Self::Fetched),
            (Some(value), _) => Err(Error::Setting {
                name: "VIRAL_POSTGRES",
                value: value.to_string_lossy().into_owned(),
                expected: "set it to `fetch`, or leave it out to use an installed PostgreSQL",
            }),
            (None, Some(folder)) => Ok(Self::Folder(folder.into())),
            (None, None) => Ok(Self::Any),
        }
    }
}

impl Programs {
    /// Finds programs that the server's user can run, or fetches them into `place`.
    pub(super) async fn find(source: Source, wanted: Wanted, identity: &Identity, place: &Path) -> Result<Self, Error> {
        let looked = match source {
            Source::Folder(folder) => {
                return std::path::absolute(&folder)
                    .map_err(|error| error.to_string())
                    .and_then(|absolute| Self::check(&absolute, wanted, identity))
                    .map_err(|why| Error::Programs {
                        folder,
                        why,
                        wanted: wanted.to_string(),
                    });
            }
            Source::Fetched => "VIRAL_POSTGRES=fetch asks for a fetched one".to_owned(),
            Source::Any => match Self::installed(wanted, identity) {
                Ok(found) => return Ok(found),
                Err(looked) => looked,
            },
        };
        fetch::programs(wanted, identity, place)
            .await
            .map_err(|why| Error::NoPostgres {
                wanted: wanted.to_string(),
                looked,
                why,
            })
    }

    /// Tries the programs in a folder; the answer otherwise says what is wrong with them.
    pub(super) fn check(folder: &Path, wanted: Wanted, identity: &Identity) -> Result<Self, String> {
        for program in ["initdb", "pg_ctl", "postgres"] {
            if !folder.join(program).is_file() {
                return Err(format!("{} has no {program}", folder.display()));
            }
        }
        let postgres = folder.join("postgres");
        let output = identity
            .command(&postgres)
            .arg("--version")
            .output()
            .map_err(|error| format!("user `{}` cannot run {}: {error}", identity.name(), postgres.display()))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let version = parse_version(&printed).filter(|_| output.status.success());
        let Some((version, major)) = version else {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "{} does not tell its version: {printed}{}",
                postgres.display(),
                complaint.trim()
            ));
        };
        if !wanted.includes(major) {
            return Err(format!("{} has version {version}", folder.display()));
        }
        Ok(Self {
            folder: folder.to_owned(),
            version,
        })
    }

    /// The path of one program.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    fn installed(wanted: Wanted, identity: &Identity) -> Result<Self, String> {
        let mut complaints = Vec::new();
        for folder in candidates() {
            match Self::check(&folder, wanted, identity) {
                Ok(found) => return Ok(found),
                Err(why) => complaints.push(why),
            }
        }
        if complaints.is_empty() {
            complaints
                .push("looked in pg_config --bindir, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin and PATH".to_owned());
        }
        Err(complaints.join("; "))
    }
}

/// The folders that have a server in them, in the order in which they are tried.
fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    // Debian's pg_config is part of a package for developers and names a folder even when no server is installed.
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    folders.extend(by_version("/usr/lib/postgresql", ""));
    folders.extend(by_version("/usr", "pgsql-"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));

    let mut found = Vec::new();
    for folder in folders {
        // On PATH there may be a link; the server finds its other files beside the real one.
        let Ok(postgres) = folder.join("postgres").canonicalize() else {
            continue;
        };
        if let Some(folder) = postgres.parent()
            && !found.iter().any(|known| known == folder)
        {
            found.push(folder.to_owned());
        }
    }
    found
}

/// The `bin` folders of `<parent>/<prefix><major>`, newest first.
fn by_version(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let major = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` is version `15.18`, major 15.
fn parse_version(printed: &str) -> Option<(String, u32)> {
    let version = printed.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((version.to_owned(), digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_prints() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(("15.18", 15)),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some(("18beta1", 18))),
            ("postgres: not found", None),
            ("postgres (PostgreSQL) devel", None),
        ];
        for (printed, expected) in cases {
            let expected = expected.map(|(version, major)| (version.to_owned(), major));
            assert_eq!(parse_version(printed), expected, "{printed}");
        }
    }

    #[test]
    fn only_tested_versions_will_do_and_data_bind_to_their_own() {
        let includes = |wanted: Wanted| (14..20).filter(|major| wanted.includes(*major)).collect::<Vec<_>>();
        assert_eq!(includes(Wanted::Supported), [15, 16, 17, 18]);
        assert_eq!(includes(Wanted::Exactly(16)), [16]);
    }
}
