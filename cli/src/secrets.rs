//! Secrets of the home: the operator's bearer token, and the master key of personal fields. Each is 256 random bits in
//! hexadecimal in a file of its own, which only its owner can read.

use crate::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The variable with the master key.
const MASTER_KEY: &str = "VIRAL_MASTER_KEY";
/// Its file in the home.
const MASTER_KEY_FILE: &str = "master.key";
/// The file of the operator's token.
const TOKEN_FILE: &str = "token";

/// The operator's token that was kept, or a new one.
pub(crate) fn token(home: &Path) -> Result<String, Error> {
    kept(home, TOKEN_FILE)
}

/// The operator's token, if one was kept.
pub(crate) fn existing_token(home: &Path) -> Result<Option<String>, Error> {
    read(&home.join(TOKEN_FILE))
}

/// The master key: from the environment, else from the home. One is made there only where `may_create`: a platform
/// whose data lie elsewhere must be told its key, because with a new one everything sealed so far would be lost.
pub(crate) fn master_key(home: &Path, may_create: bool) -> Result<[u8; 32], Error> {
    let given = std::env::var(MASTER_KEY).ok().filter(|text| !text.trim().is_empty());
    let (text, place) = match given {
        Some(text) => (text.trim().to_owned(), MASTER_KEY.to_owned()),
        None => {
            let path = home.join(MASTER_KEY_FILE);
            let text = match read(&path)? {
                Some(text) => text,
                None if may_create => kept(home, MASTER_KEY_FILE)?,
                None => {
                    return Err(Error::Other(format!(
                        "set {MASTER_KEY} to the master key of personal fields, 64 hexadecimal digits (a new one: \
                         `openssl rand -hex 32`); keep it where the database's backups are not"
                    )));
                }
            };
            (text, path.display().to_string())
        }
    };
    let mut key = [0; 32];
    let problem = |_| Error::Other(format!("{place} must be 64 hexadecimal digits"));
    hex::decode_to_slice(text, &mut key).map_err(problem)?;
    Ok(key)
}

/// The secret in a file of the home, or a new one.
fn kept(home: &Path, file: &str) -> Result<String, Error> {
    let path = home.join(file);
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Other(format!("the system gives no random numbers: {e}")))?;
    let secret = hex::encode(bytes);
    match write(home, &path, &secret) {
        Ok(()) => Ok(secret),
        // Another process was faster: its secret is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept(home, file),
        Err(error) => Err(Error::io(format!("a secret cannot be kept in {}", path.display()))(
            error,
        )),
    }
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(secret) if !secret.trim().is_empty() => Ok(Some(secret.trim().to_owned())),
        Ok(_) => Err(Error::Other(format!(
            "{} is empty: remove it, then start again",
            path.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("{} cannot be read", path.display()))(error)),
    }
}

fn write(home: &Path, path: &Path, secret: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(home)?;
    // Written beside and linked, so that a kill leaves no half secret behind, and the first one stays.
    let draft = path.with_extension(format!("{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked?;
    // The name must outlast a power cut as well: what is sealed under this key is in the database a moment later.
    std::fs::File::open(home)?.sync_all()
}
