//! A connection pooler in the manner of PgBouncer with `pool_mode = transaction` and one connection to the server: it gives
//! that to a client for the time of a transaction, then to the next one.

use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A pooler on loopback. It is gone with this value.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    listening: JoinHandle<()>,
}

/// The connection to the server, once the first client has logged in by it.
type Server = Arc<Mutex<Option<TcpStream>>>;

impl Pooler {
    /// Stands in front of the server on this port. The first client's login is the server's, the others are believed.
    pub async fn start(server: u16) -> Pooler {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Server::default();
        let listening = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(client, server, shared.clone()));
            }
        });
        Pooler { port, listening }
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// A client that ends, ends this.
async fn serve(mut client: TcpStream, server: u16, shared: Server) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let startup = startup(&mut client).await?;
    let mut connection = shared.lock().await;
    match &mut *connection {
        None => {
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await.ok()?;
            server.set_nodelay(true).ok()?;
            server.write_all(&startup).await.ok()?;
            log_in(&mut client, &mut server).await?;
            *connection = Some(server);
        }
        Some(_) => {
            // AuthenticationOk, ReadyForQuery outside of a transaction.
            let welcome = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
            client.write_all(welcome).await.ok()?;
        }
    }
    drop(connection);
    loop {
        let mut request = message(&mut client).await?;
        if request[0] == b'X' {
            return None;
        }
        let mut connection = shared.lock().await;
        let server = connection.as_mut()?;
        loop {
            server.write_all(&request).await.ok()?;
            // A simple query or a Sync is answered up to ReadyForQuery; what comes before a Sync is only passed on.
            if matches!(request[0], b'Q' | b'S') && answer(server, &mut client).await? == b'I' {
                break;
            }
            request = message(&mut client).await?;
        }
    }
}

/// The startup message; TLS is declined.
async fn startup(client: &mut TcpStream) -> Option<Vec<u8>> {
    loop {
        let length = client.read_u32().await.ok()?;
        let mut message = length.to_be_bytes().to_vec();
        message.resize(usize::try_from(length).ok()?, 0);
        client.read_exact(&mut message[4..]).await.ok()?;
        if message[4..] != 80_877_103_u32.to_be_bytes() {
            return Some(message);
        }
        client.write_all(b"N").await.ok()?;
    }
}

/// Passes the login on until the server is ready.
async fn log_in(client: &mut TcpStream, server: &mut TcpStream) -> Option<()> {
    loop {
        let told = message(server).await?;
        client.write_all(&told).await.ok()?;
        match (told[0], told.get(8)) {
            (b'Z', _) => return Some(()),
            (b'E', _) => return None,
            // The server asks for something: all but AuthenticationOk (0) and SASLFinal (12) want an answer.
            (b'R', Some(kind)) if !matches!(kind, 0 | 12) => {
                let answer = message(client).await?;
                server.write_all(&answer).await.ok()?;
            }
            _ => {}
        }
    }
}

/// Passes an answer on; answers the state of the transaction.
async fn answer(server: &mut TcpStream, client: &mut TcpStream) -> Option<u8> {
    loop {
        let told = message(server).await?;
        client.write_all(&told).await.ok()?;
        if told[0] == b'Z' {
            return told.get(5).copied();
        }
    }
}

/// One message: its type, its length, its content.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let kind = stream.read_u8().await.ok()?;
    let length = stream.read_u32().await.ok()?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(1 + usize::try_from(length).ok()?, 0);
    stream.read_exact(&mut message[5..]).await.ok()?;
    Some(message)
}
