//! The operator's bearer token: given by the environment, or under `--dev` made once and kept in the home.

use crate::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The name of the token's file in the home.
const FILE: &str = "token";

/// The token that was kept, or a new one of 256 random bits.
pub(crate) fn kept(home: &Path) -> Result<String, Error> {
    let path = home.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(token) if !token.trim().is_empty() => return Ok(token.trim().to_owned()),
        Ok(_) => {
            return Err(Error::Other(format!(
                "{} is empty: remove it, then start again",
                path.display()
            )));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::io(format!("the token in {} cannot be read", path.display()))(
                error,
            ));
        }
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Other(format!("the system gives no random numbers: {e}")))?;
    let token = hex::encode(bytes);
    match write(home, &path, &token) {
        Ok(()) => Ok(token),
        // Another process was faster: its token is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept(home),
        Err(error) => Err(Error::io(format!("the token cannot be kept in {}", path.display()))(
            error,
        )),
    }
}

fn write(home: &Path, path: &Path, token: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(home)?;
    // Written beside and linked, so that a kill leaves no half token behind, and the first one stays.
    let draft = path.with_extension(format!("{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked
}
