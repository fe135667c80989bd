//! An address that clients keep while the server behind it changes, as a virtual IP is one.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A port on loopback that leads to a Unix socket, or nowhere. It is gone with this value.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    to: watch::Sender<Option<PathBuf>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens. Until it leads somewhere, connections are closed at once.
    pub async fn listen() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = watch::Sender::new(None);
        let connections = to.clone();
        let listening = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(client, connections.subscribe()));
            }
        });
        Proxy { port, to, listening }
    }

    /// Where it listens on loopback, always the same.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads to this socket from now on, or nowhere. Connections that lead elsewhere are cut.
    pub fn lead_to(&self, socket: Option<&Path>) {
        self.to.send_replace(socket.map(Path::to_owned));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.lead_to(None);
        self.listening.abort();
    }
}

/// Passes bytes on in both directions until one side ends or the proxy leads elsewhere.
async fn pass(mut client: TcpStream, mut to: watch::Receiver<Option<PathBuf>>) {
    let Some(socket) = to.borrow_and_update().clone() else {
        return;
    };
    let Ok(mut server) = UnixStream::connect(socket).await else {
        return;
    };
    // Otherwise small packets wait for each other.
    client.set_nodelay(true).unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = to.changed() => {}
    }
}
