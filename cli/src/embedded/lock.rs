//! File locks: one process at a time starts or stops the server, and the last one to leave stops it.
//!
//! They are `flock` locks of an open file, so the kernel gives them back when a process dies, however it dies, and two
//! holders inside one process count as two.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::Error;

/// A held lock; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Waits until nobody else holds the lock.
    pub(super) fn exclusive(path: &Path, wait: Duration) -> Result<Self, Error> {
        Self::poll(path, wait, File::try_lock)
    }

    /// Waits until nobody else holds the lock exclusively.
    pub(super) fn shared(path: &Path, wait: Duration) -> Result<Self, Error> {
        Self::poll(path, wait, File::try_lock_shared)
    }

    /// Gives a shared lock back and says whether it was the last: then nobody else can have one until the answer is
    /// dropped.
    pub(super) fn last(self, path: &Path) -> Result<Option<Self>, Error> {
        // Closing it is not enough: a process that is just being started may have inherited the open file for a moment.
        self.file.unlock().map_err(Error::file("unlock", path))?;
        drop(self);
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::file("lock", path)(source)),
        }
    }

    /// Polls, because a blocking `flock` knows no timeout.
    fn poll(path: &Path, wait: Duration, try_lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, Error> {
        let file = open(path)?;
        let began = Instant::now();
        loop {
            match try_lock(&file) {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::Error(source)) => {
                    return Err(Error::file("lock", path)(source));
                }
                Err(TryLockError::WouldBlock) if began.elapsed() >= wait => {
                    return Err(Error::Busy {
                        path: path.to_owned(),
                        waited: wait,
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(25)),
            }
        }
    }
}

fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(Error::file("open", path))
}
