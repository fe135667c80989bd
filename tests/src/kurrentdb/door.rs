//! The way in: connections are passed on to the server, and can be cut in the middle.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct Door {
    port: u16,
    server: SocketAddr,
    /// Changes when all connections are to be cut.
    cuts: watch::Sender<u64>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Door {
    pub(super) async fn open(server: SocketAddr) -> Door {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let door = Door {
            port: listener.local_addr().unwrap().port(),
            server,
            cuts: watch::channel(0).0,
            listening: Mutex::default(),
        };
        door.listen(listener);
        door
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn listen(&self, listener: TcpListener) {
        let (server, cuts) = (self.server, self.cuts.clone());
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(client, server, cuts.subscribe()));
            }
        });
        *self.listening.lock().unwrap() = Some(task);
    }

    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn cuts(&self) -> u64 {
        *self.cuts.borrow()
    }

    pub(super) async fn shut(&self) {
        self.close().await;
        self.cut();
    }

    async fn close(&self) {
        let task = self.listening.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            // Once it has ended, its socket is closed.
            let _ = task.await;
        }
    }

    pub(super) async fn send_away(&self) -> watch::Receiver<u64> {
        self.close().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let (knocks, knocked) = watch::channel(0);
        let task = tokio::spawn(async move {
            loop {
                drop(listener.accept().await.unwrap());
                knocks.send_modify(|count| *count += 1);
            }
        });
        *self.listening.lock().unwrap() = Some(task);
        knocked
    }

    pub(super) async fn reopen(&self) {
        self.close().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        self.listen(listener);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(task) = self.listening.lock().unwrap().take() {
            task.abort();
        }
        self.cut();
    }
}

/// Passes bytes on in both directions until one side ends or the connection is cut.
async fn pass(mut client: TcpStream, server: SocketAddr, mut cuts: watch::Receiver<u64>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    // Otherwise small packets wait for each other.
    for socket in [&client, &server] {
        socket.set_nodelay(true).unwrap();
    }
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = cuts.changed() => {}
    }
}
