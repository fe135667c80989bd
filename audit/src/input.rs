//! A file that is read: plain or gzip, by its first bytes; what was read is counted.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open file.
pub(crate) struct Input {
    /// Its text.
    pub(crate) text: Box<dyn io::BufRead + Send>,
    /// How many bytes it has on the disk; 0 if that is not known.
    pub(crate) length: u64,
    /// How many of them were read.
    pub(crate) read: Arc<AtomicU64>,
}

/// The name of a file without its folder.
pub(crate) fn name(file: &Path) -> String {
    file.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// What comes in on standard input.
pub(crate) fn stdin() -> io::Result<Input> {
    of(io::stdin(), 0)
}

/// Opens a file.
pub(crate) fn open(path: &Path) -> io::Result<Input> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file"));
    }
    of(file, metadata.len())
}

/// As [`open`], of a text as other programs write it: a byte order mark at its start is taken off.
pub(crate) fn open_text(path: &Path) -> io::Result<Input> {
    let input = open(path)?;
    let (start, rest) = peek(input.text, BYTE_ORDER_MARK.len()).map_err(cut)?;
    let start = if start == BYTE_ORDER_MARK { Vec::new() } else { start };
    Ok(Input {
        text: Box::new(BufReader::new(Cursor::new(start).chain(rest))),
        ..input
    })
}

fn of(reader: impl Read + Send + 'static, length: u64) -> io::Result<Input> {
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        reader,
        read: read.clone(),
    };
    let (start, counted) = peek(counted, GZIP.len())?;
    let packed = start == GZIP;
    let whole = BufReader::with_capacity(64 * 1_024, Cursor::new(start).chain(counted));
    let text: Box<dyn io::BufRead + Send> = match packed {
        true => Box::new(BufReader::with_capacity(64 * 1_024, MultiGzDecoder::new(whole))),
        false => Box::new(whole),
    };
    Ok(Input { text, length, read })
}

/// The first bytes, at most so many, and what follows them.
fn peek<R: Read>(mut reader: R, count: usize) -> io::Result<(Vec<u8>, R)> {
    let mut start = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut start)?;
    Ok((start, reader))
}

/// What the decoder calls an unexpected end, in words that say what to do.
pub(crate) fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the compressed data end too early: the file was cut off")
        }
        _ => error,
    }
}

struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
