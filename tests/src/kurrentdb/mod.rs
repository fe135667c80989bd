//! A fake of KurrentDB: its protocol over a real socket, its data in memory, and trouble on demand.
//!
//! It does what the server does with the calls that the adapter makes (reads of a stream, appends at an expected state,
//! the features of the server), built from the published protos. Everything else is refused as not implemented. The
//! server itself is never stopped: clients come in through a door, which can be shut, and connections can be cut.

mod data;
mod door;
mod faults;
mod service;

/// The code made from the protos.
#[allow(dead_code, clippy::all)]
mod proto {
    pub(crate) mod event_store {
        pub(crate) mod client {
            tonic::include_proto!("event_store.client");
            pub(crate) mod streams {
                tonic::include_proto!("event_store.client.streams");
            }
            pub(crate) mod server_features {
                tonic::include_proto!("event_store.client.server_features");
            }
        }
    }
    pub(crate) mod google {
        pub(crate) mod rpc {
            tonic::include_proto!("google.rpc");
        }
    }
}

pub use data::Recorded;
pub use faults::{Append, Read};

use data::Data;
use door::Door;
use faults::Faults;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use viral_store::kurrentdb::{KurrentStore, Options};

/// The server of KurrentDB that the tests may use, if there is one.
pub fn server() -> Option<String> {
    std::env::var("KURRENTDB_URL").ok().filter(|url| !url.is_empty())
}

/// A connection string for streams of its own on this server.
pub fn apart(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}streamPrefix=test-{}-", uuid::Uuid::now_v7())
}

/// A new log, in streams of its own.
pub async fn new_log(url: &str) -> KurrentStore {
    let options = Options::default();
    KurrentStore::open_or_create(&apart(url), options).await.unwrap()
}

/// What the service and the tests share.
#[derive(Debug)]
struct State {
    data: Mutex<Data>,
    faults: Faults,
    door: Door,
    /// The header that calls must have, where the server wants to know who calls.
    authorization: Option<&'static str>,
}

impl State {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }
}

/// A running fake. It ends with this value.
#[derive(Debug)]
pub struct Fake {
    state: Arc<State>,
    server: JoinHandle<()>,
    user: &'static str,
}

impl Fake {
    /// Starts one that lets everybody in.
    pub async fn start() -> Fake {
        Fake::with(None, "").await
    }

    /// Starts one that wants the user `viral` with the password `secret`.
    pub async fn with_password() -> Fake {
        // The two in base64.
        Fake::with(Some("Basic dmlyYWw6c2VjcmV0"), "viral:secret@").await
    }

    async fn with(authorization: Option<&'static str>, user: &'static str) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let door = Door::open(listener.local_addr().unwrap()).await;
        let state = Arc::new(State {
            data: Mutex::default(),
            faults: Faults::default(),
            door,
            authorization,
        });
        let (streams, features) = service::services(state.clone());
        let router = Server::builder().add_service(streams).add_service(features);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = tokio::spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
        Fake { state, server, user }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!(
            "kurrentdb://{}127.0.0.1:{}?tls=false",
            self.user,
            self.state.door.port()
        )
    }

    /// What is to happen to the next appends.
    pub fn on_appends(&self, faults: impl IntoIterator<Item = Append>) {
        self.state.faults.on_appends(faults);
    }

    /// What is to happen to every so many-th append from now on.
    pub fn on_every_append(&self, one_in: u64, fault: Append) {
        self.state.faults.on_every_append(one_in, fault);
    }

    /// What is to happen to the next reads.
    pub fn on_reads(&self, faults: impl IntoIterator<Item = Read>) {
        self.state.faults.on_reads(faults);
    }

    /// Whether all that was to happen has happened.
    pub fn is_at_peace(&self) -> bool {
        self.state.faults.are_over()
    }

    /// Lets the appends go on that are held.
    pub fn release(&self) {
        self.state.faults.release();
    }

    /// Waits until so many appends are held at once.
    pub async fn held(&self, appends: u64) {
        self.state.faults.held(appends).await;
    }

    /// Waits until all appends have ended, those too whose callers have given up.
    pub async fn appends_have_ended(&self) {
        self.state.faults.appends_have_ended().await;
    }

    /// How many reads there were, now and later.
    pub fn reads(&self) -> watch::Receiver<u64> {
        self.state.faults.reads()
    }

    /// How often all connections were cut.
    pub fn cuts(&self) -> u64 {
        self.state.door.cuts()
    }

    /// Stops listening and cuts all connections: to a client the server is down.
    pub async fn shut(&self) {
        self.state.door.shut().await;
    }

    /// While it is shut: sends away whoever knocks, until it is opened again. Answers how many that were, now and later.
    pub async fn send_away(&self) -> watch::Receiver<u64> {
        self.state.door.send_away().await
    }

    /// Listens again, with the same data.
    pub async fn reopen(&self) {
        self.state.door.reopen().await;
    }

    /// How large an append may be, in bytes.
    pub fn set_max_append_bytes(&self, bytes: usize) {
        self.state.data().max_append_bytes = bytes;
    }

    /// The largest append there was, in bytes as the server counts them.
    pub fn largest_append(&self) -> usize {
        self.state.data().largest_append
    }

    /// The records of a stream.
    pub fn records(&self, stream: &str) -> Vec<Recorded> {
        self.state.data().stream(stream).to_vec()
    }

    /// The names of all streams, sorted.
    pub fn streams(&self) -> Vec<String> {
        let mut names: Vec<String> = self.state.data().streams.keys().cloned().collect();
        names.sort();
        names
    }

    /// How many records a stream has.
    pub fn len(&self, stream: &str) -> usize {
        self.state.data().stream(stream).len()
    }

    /// Sets the server's clock ahead of this machine's.
    pub fn set_clock_ahead(&self, by: std::time::Duration) {
        self.state.data().clock_ahead = by;
    }

    /// Changes a stream as nobody can by way of the protocol.
    pub fn change(&self, stream: &str, change: impl FnOnce(&mut Vec<Recorded>)) {
        change(self.state.data().streams.entry(stream.to_owned()).or_default());
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}
