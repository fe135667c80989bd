//! Where HTTP comes in, and who may. The socket is bound before anything is started, and answers from then on: that the
//! process is up and not ready, until the API takes over.

use crate::args::UpArgs;
use crate::error::Error;
use crate::secrets;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use viral_api::{Role, Tokens};

/// The socket of the API.
pub(crate) struct Front {
    listener: Arc<TcpListener>,
    /// Answers that the platform is not ready, until it is told that it is.
    waiting: JoinHandle<()>,
    ready: oneshot::Sender<()>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Who may call it.
    pub(crate) tokens: Tokens,
    /// The operator's token if it was made here; one that was given is not shown.
    pub(crate) made: Option<String>,
}

impl Front {
    /// Binds the socket and begins to answer.
    pub(crate) async fn open(home: &Path, args: &UpArgs) -> Result<Front, Error> {
        let listener = TcpListener::bind(args.listen).await.map_err(Error::io(format!(
            "cannot listen on {}: is `viral up` running already? choose another address with --listen",
            args.listen
        )))?;
        let address = listener.local_addr().map_err(Error::io("the listening socket"))?;
        let given = given_token();
        let made = match given {
            Some(_) => None,
            None => Some(own_token(home, args)?),
        };
        let token = given.as_deref().or(made.as_deref()).unwrap_or_default();
        let mut tokens = Tokens::new();
        tokens
            .add(token, "operator", Role::Admin)
            .map_err(|e| Error::Other(format!("VIRAL_API_TOKEN: {e}")))?;
        let listener = Arc::new(listener);
        let (ready, is_ready) = oneshot::channel();
        let (socket, limits) = (listener.clone(), args.limits.limits());
        let waiting = tokio::spawn(async move {
            let ready = async {
                // Nobody who could say so any more is a reason to end as well.
                let _ = is_ready.await;
            };
            viral_api::serve_not_ready(&socket, limits, ready).await;
        });
        Ok(Front {
            listener,
            waiting,
            ready,
            address,
            tokens,
            made,
        })
    }

    /// Where the platform can be reached.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A socket on which nothing is answered any more, for whoever answers from now on.
pub(crate) struct Taken {
    listener: Arc<TcpListener>,
    waiting: JoinHandle<()>,
}

impl Front {
    /// Ends the answers that the platform is not ready.
    pub(crate) fn take(self) -> (Taken, Tokens) {
        // It may have ended by itself.
        let _ = self.ready.send(());
        let taken = Taken {
            listener: self.listener,
            waiting: self.waiting,
        };
        (taken, self.tokens)
    }
}

impl Taken {
    /// The socket, once the last of them is given.
    pub(crate) async fn listener(self) -> Result<TcpListener, Error> {
        let ended = self.waiting.await;
        ended.map_err(|error| Error::Other(error.to_string()))?;
        Arc::into_inner(self.listener).ok_or_else(|| Error::Other("the listening socket is in use".to_owned()))
    }
}

/// From the environment only: a command line can be read by everybody on the machine.
fn given_token() -> Option<String> {
    std::env::var("VIRAL_API_TOKEN").ok().filter(|token| !token.is_empty())
}

fn own_token(home: &Path, args: &UpArgs) -> Result<String, Error> {
    if args.dev {
        return secrets::token(home);
    }
    let text = "set VIRAL_API_TOKEN to the operator's bearer token, or run `viral up --dev`, which makes one";
    Err(Error::Other(text.to_owned()))
}
