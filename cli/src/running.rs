//! Where the platforms of a home can be reached: file `api.url`, a line for each that runs, the newest last. Commands that
//! work beside one find it there. Several may run in one home, and each takes only its own line away.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

const FILE: &str = "api.url";
/// How long somebody on this machine may take to accept a connection.
const PATIENCE: Duration = Duration::from_millis(200);

/// Writes down that a platform can be reached here. Where the home cannot be written to, the platform works all the same.
pub(crate) fn remember(home: &Path, url: &str) {
    let add = |urls: &mut Vec<String>| {
        // Those that were killed are gone.
        urls.retain(|other| other != url && accepts(other));
        urls.push(url.to_owned());
    };
    let written = std::fs::create_dir_all(home).and_then(|()| change(home, add));
    if let Err(error) = written {
        let file = home.join(FILE).display().to_string();
        tracing::warn!(%error, file, "cannot be written: commands beside this platform need --url {url}");
    }
}

/// Takes that away again.
pub(crate) fn forget(home: &Path, url: &str) {
    // If it cannot be taken away, whoever calls the platform finds nobody there.
    let _ = change(home, |urls| urls.retain(|other| other != url));
}

/// Where a platform of this home can be reached: the newest that answers.
pub(crate) fn find(home: &Path) -> Option<String> {
    let mut urls = read(home).ok()?;
    let newest = urls.last().cloned();
    urls.retain(|url| accepts(url));
    // Who calls one that does not answer is told so.
    urls.pop().or(newest)
}

fn read(home: &Path) -> io::Result<Vec<String>> {
    let text = std::fs::read_to_string(home.join(FILE))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// One process at a time changes the file, and who reads it sees it before or after.
fn change(home: &Path, change: impl FnOnce(&mut Vec<String>)) -> io::Result<()> {
    let folder = File::open(home)?;
    folder.lock()?;
    let mut urls = match read(home) {
        Ok(urls) => urls,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    change(&mut urls);
    if urls.is_empty() {
        return std::fs::remove_file(home.join(FILE));
    }
    let mut file = tempfile::NamedTempFile::new_in(home)?;
    file.write_all(urls.join("\n").as_bytes())?;
    file.persist(home.join(FILE))?;
    Ok(())
}

fn accepts(url: &str) -> bool {
    let address = url
        .strip_prefix("http://")
        .and_then(|text| text.parse::<SocketAddr>().ok());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    #[test]
    fn the_end_of_one_platform_leaves_the_others_known() {
        let home = tempfile::tempdir().unwrap();
        let ((_first_runs, first), (second_runs, second)) = (listener(), listener());
        assert_eq!(find(home.path()), None);
        remember(home.path(), &first);
        remember(home.path(), &second);
        assert_eq!(find(home.path()), Some(second.clone()));
        forget(home.path(), &second);
        assert_eq!(find(home.path()), Some(first.clone()));
        // One that was killed leaves its line.
        remember(home.path(), &second);
        drop(second_runs);
        assert_eq!(find(home.path()), Some(first.clone()));
        let (_third_runs, third) = listener();
        remember(home.path(), &third);
        assert_eq!(read(home.path()).unwrap(), [first.as_str(), third.as_str()]);
        forget(home.path(), &first);
        forget(home.path(), &third);
        assert!(!home.path().join(FILE).exists());
    }

    #[test]
    fn a_home_that_cannot_be_written_to_is_no_error() {
        let home = tempfile::NamedTempFile::new().unwrap();
        remember(home.path(), "http://127.0.0.1:1");
        forget(home.path(), "http://127.0.0.1:1");
        assert_eq!(find(home.path()), None);
    }
}
