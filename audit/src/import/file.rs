//! The file: plain or gzip, by its first bytes; its byte order mark is taken off; what was read is counted.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open file.
pub(super) struct Input {
    /// Its text.
    pub(super) text: Box<dyn io::BufRead + Send>,
    /// How many bytes it has on the disk.
    pub(super) length: u64,
    /// How many of them were read.
    pub(super) read: Arc<AtomicU64>,
}

/// The name of a file without its folder.
pub(super) fn name(file: &Path) -> String {
    file.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Opens a file.
pub(super) fn open(path: &Path) -> io::Result<Input> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file"));
    }
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        file,
        read: read.clone(),
    };
    let (start, counted) = peek(counted, GZIP.len())?;
    let unpacked: Box<dyn Read + Send> = if start == GZIP {
        Box::new(MultiGzDecoder::new(BufReader::new(Cursor::new(start).chain(counted))))
    } else {
        Box::new(Cursor::new(start).chain(counted))
    };
    let (start, rest) = peek(unpacked, BYTE_ORDER_MARK.len()).map_err(cut)?;
    let start = if start == BYTE_ORDER_MARK { Vec::new() } else { start };
    let text = BufReader::with_capacity(64 * 1_024, Cursor::new(start).chain(rest));
    Ok(Input {
        text: Box::new(text),
        length: metadata.len(),
        read,
    })
}

/// The first bytes, at most so many, and what follows them.
fn peek<R: Read>(mut reader: R, count: usize) -> io::Result<(Vec<u8>, R)> {
    let mut start = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut start)?;
    Ok((start, reader))
}

/// What the decoder calls an unexpected end, in words that say what to do.
fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the compressed data end too early: the file was cut off")
        }
        _ => error,
    }
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
