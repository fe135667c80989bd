//! Secrets of the home: the operator's bearer token, and the master key of personal fields. Each is 256 random bits in
//! hexadecimal in a file of its own, which only its owner can read.

use crate::error::Error;
use std::env::VarError;
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

/// What to do where there is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// Make one: nothing is sealed yet.
    Make,
    /// Ask for one: a platform whose data lie elsewhere must be told its key.
    Ask,
    /// It is lost. A new one would not open what is sealed already, and stand in the way of the right one.
    Lost,
}

/// The master key: from the environment, else from the home.
pub(crate) fn master_key(home: &Path, no_key: NoKey) -> Result<[u8; 32], Error> {
    let given = match std::env::var(MASTER_KEY) {
        Ok(text) => Some(text),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => return Err(not_hexadecimal(MASTER_KEY)),
    };
    key_of(home, given, no_key)
}

fn key_of(home: &Path, given: Option<String>, no_key: NoKey) -> Result<[u8; 32], Error> {
    let given = given.filter(|text| !text.trim().is_empty());
    let (text, place) = match given {
        Some(text) => (text.trim().to_owned(), MASTER_KEY.to_owned()),
        None => {
            let path = home.join(MASTER_KEY_FILE);
            let text = match (read(&path)?, no_key) {
                (Some(text), _) => text,
                (None, NoKey::Make) => kept(home, MASTER_KEY_FILE)?,
                (None, NoKey::Ask) => {
                    return Err(Error::Other(format!(
                        "set {MASTER_KEY} to the master key of personal fields, 64 hexadecimal digits (a new one: \
                         `openssl rand -hex 32`); keep it where the database's backups are not"
                    )));
                }
                (None, NoKey::Lost) => {
                    return Err(Error::Other(format!(
                        "{} is missing, and without it personal fields that are sealed already stay closed: put it back \
                         from where you keep it, or set {MASTER_KEY}",
                        path.display()
                    )));
                }
            };
            (text, path.display().to_string())
        }
    };
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| not_hexadecimal(&place))?;
    Ok(key)
}

fn not_hexadecimal(place: &str) -> Error {
    Error::Other(format!("{place} must be 64 hexadecimal digits"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_made_once_and_never_where_one_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        for (no_key, hint) in [(NoKey::Ask, "openssl rand"), (NoKey::Lost, "put it back")] {
            let error = key_of(&home, None, no_key).unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains(MASTER_KEY), "{error}");
            assert!(!home.join(MASTER_KEY_FILE).exists());
        }
        let made = key_of(&home, Some(" ".to_owned()), NoKey::Make).unwrap();
        assert_ne!(made, [0; 32]);
        for no_key in [NoKey::Make, NoKey::Ask, NoKey::Lost] {
            assert_eq!(key_of(&home, None, no_key).unwrap(), made);
        }
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "no draft is left");
        let given = key_of(&home, Some("07".repeat(32)), NoKey::Lost).unwrap();
        assert_eq!(given, [7; 32]);
    }

    #[test]
    fn what_is_wrong_with_a_key_is_said_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in ["beef", &"07".repeat(33), &"zz".repeat(32)] {
            let error = key_of(folder.path(), Some(wrong.to_owned()), NoKey::Make).unwrap_err();
            assert_eq!(error.to_string(), "VIRAL_MASTER_KEY must be 64 hexadecimal digits");
        }
        std::fs::write(folder.path().join(MASTER_KEY_FILE), "").unwrap();
        let error = key_of(folder.path(), None, NoKey::Make).unwrap_err().to_string();
        assert!(error.contains("is empty"), "{error}");
    }
}
