//! How far everything is, for Prometheus: counted when it is asked, on a socket of its own that belongs into an internal
//! network. <https://prometheus.io/docs/instrumenting/exposition_formats/>

use crate::doctor::clock;
use crate::error::Error;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sqlx::PgPool;
use std::fmt::{Display, Write as _};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use viral_api::Limits;
use viral_kafka::{Standing, Status as RelayStatus};
use viral_projections::Status;
use viral_projections::status::State as ReadModelState;
use viral_store::{EventStore, Position};

/// The connections of those who scrape.
const CONNECTIONS: usize = 32;

/// What is told.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) pool: PgPool,
    /// The relay of this process, if it has one.
    pub(crate) relay: Option<watch::Receiver<RelayStatus>>,
}

/// The socket, bound before anything is started.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    let what = format!("cannot listen on {address} for metrics: choose another address with --metrics");
    TcpListener::bind(address).await.map_err(Error::io(what))
}

/// Answers at `/metrics` until it is told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let router = Router::new().route("/metrics", get(answer)).with_state(metrics);
    let limits = Limits {
        connections: CONNECTIONS,
        ..Limits::default()
    };
    viral_api::serve_routes(listener, router, limits, stop).await;
    Ok(())
}

async fn answer(State(metrics): State<Metrics>) -> Response {
    match metrics.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        // The log says more; a scrape only has to fail.
        Err(error) => {
            tracing::warn!(%error, "metrics");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n").into_response()
        }
    }
}

impl Metrics {
    async fn text(&self) -> Result<String, Error> {
        let models = viral_projections::list(&self.pool, self.store.as_ref()).await?;
        let head = self.store.head().await?.position;
        let mut page = Page::default();
        page.gauge(
            "viral_log_head_position",
            "The position of the last event of the log.",
            [(String::new(), head.0)],
        );
        let continuity = self.store.continuity();
        page.gauge(
            "viral_log_went_back",
            "1 if the log lost events that this process had read.",
            [(String::new(), u64::from(continuity.went_back().is_some()))],
        );
        page.gauge(
            "viral_clock_leapt",
            "1 if nothing is appended because the clock of the log's server was set.",
            [(String::new(), u64::from(continuity.clock_leapt().is_some()))],
        );
        if let Some(offset) = clock::offset(self.store.as_ref()).await? {
            page.gauge(
                "viral_clock_offset_seconds",
                "By how much the clock of the log's server is ahead of this process's.",
                [(String::new(), offset.as_seconds_f64())],
            );
        }
        let live = models.iter().filter(|model| model.state == ReadModelState::Live);
        let each = |value: fn(&Status) -> u64| {
            live.clone()
                .map(move |model| (format!("{{read_model=\"{}\"}}", model.name), value(model)))
        };
        page.gauge(
            "viral_read_model_position",
            "The position of the last event that a read model contains.",
            each(|model| model.position.0),
        );
        page.gauge(
            "viral_read_model_lag_events",
            "How many events a read model is behind the log.",
            each(|model| lag(model.head, model.position)),
        );
        page.gauge(
            "viral_read_model_parked_events",
            "How many events a read model left out.",
            each(|model| model.parked),
        );
        page.gauge(
            "viral_read_model_stopped",
            "1 if a read model stopped at an event that it cannot take in.",
            each(|model| u64::from(model.problem.is_some())),
        );
        page.gauge(
            "viral_read_model_unknown_events",
            "How many events of types that this version does not know a read model of this process passed by.",
            viral_projections::passed_by().into_iter().map(|passed| {
                // A name that this version does not know may have any character.
                let event_type = passed
                    .event_type
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                let labels = format!("{{read_model=\"{}\",event_type=\"{event_type}\"}}", passed.read_model);
                (labels, passed.events)
            }),
        );
        if let Some(relay) = &self.relay {
            page.relay(&relay.borrow(), head);
        }
        Ok(page.0)
    }
}

fn lag(head: Position, at: Position) -> u64 {
    head.0.saturating_sub(at.0)
}

#[derive(Default)]
struct Page(String);

impl Page {
    /// Labels, ready to print, and value of each sample.
    fn gauge<V: Display>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, V)>) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    fn relay(&mut self, status: &RelayStatus, head: Position) {
        let one = |value| [(String::new(), value)];
        let active = status.standing == Standing::Active;
        self.gauge(
            "viral_relay_active",
            "1 if the relay of this process is the one that publishes.",
            one(u64::from(active)),
        );
        self.gauge(
            "viral_relay_stopped",
            "1 if the relay of this process waits for somebody to mend what is wrong.",
            one(u64::from(status.standing == Standing::Stopped)),
        );
        // One that waits does not know how far the other one is.
        if active {
            self.gauge(
                "viral_relay_published_position",
                "Everything up to this position is acknowledged by Kafka.",
                one(status.published.0),
            );
            self.gauge(
                "viral_relay_lag_events",
                "How many events of the log Kafka has not acknowledged.",
                one(lag(head, status.published)),
            );
        }
    }
}
