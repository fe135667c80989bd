//! The published log, on a broker of its own: nobody's topics are touched. Beside the relay a bare producer that sends the
//! same bytes, beside the feed a bare consumer that reads the same partitions, in turns.

mod arrivals;
mod broker;
mod consume;
mod delay;
mod outage;
mod produce;
mod relay_process;
mod report;
mod take_over;

pub(super) use report::KafkaReport;

use super::meter::{Compared, Meter};
use super::server::Server;
use super::{BenchArgs, RUNS, log, projections};
use crate::Error;
use broker::Broker;
use std::sync::Arc;
use viral_commands::Vault;
use viral_store::{EventStore, Position, PostgresStore, StoredEvent};

/// What everything here is measured on.
struct Bed<'a> {
    server: &'a Server,
    broker: Broker,
    store: Arc<PostgresStore>,
    /// The superuser's URL of the log's database.
    url: String,
}

/// Measures the published log; nothing where no broker can be started, which is told.
pub(super) async fn measure(server: &Server, args: &BenchArgs) -> Result<Option<KafkaReport>, Error> {
    let broker = match Broker::start(&server.folder().join("kafka-home")).await {
        Ok(broker) => broker,
        Err(problem) => {
            eprintln!("Kafka is not measured: {problem}");
            return Ok(None);
        }
    };
    let (store, url) = server.log().await?;
    let bed = Bed {
        server,
        broker,
        store,
        url,
    };
    let measured = bed.measure(args).await;
    bed.broker.stop().await?;
    measured.map(Some)
}

impl Bed<'_> {
    async fn measure(&self, args: &BenchArgs) -> Result<KafkaReport, Error> {
        eprintln!(
            "filling a log with {} events of campaigns to be published",
            args.published_events
        );
        let vault = Vault::new(self.store.clone(), &projections::MASTER_KEY);
        projections::fill(self.log(), vault, args.published_events).await?;
        let events = self.store.head().await?.position.0;

        let (mut bare, mut relay) = (Vec::new(), Vec::new());
        for run in 1..=RUNS {
            eprintln!("bare producer and relay, {run} of {RUNS}");
            bare.push(produce::bare(self).await?);
            relay.push(produce::relay(self).await?);
        }
        let relay = Compared::new(&relay, &bare);
        // The topics have what the relay published last.
        let (mut bare, mut feed) = (Vec::new(), Vec::new());
        for run in 1..=RUNS {
            eprintln!("bare consumer and feed, {run} of {RUNS}");
            bare.push(consume::bare(self, events).await?);
            feed.push(consume::feed(self, events).await?);
        }
        let feed = Compared::new(&feed, &bare);
        let take_over = take_over::measure(self).await?;
        let delay = delay::measure(self).await?;
        eprintln!("filling the log up to {} events", args.events);
        log::fill(&self.log(), args.events).await?;
        let outage = outage::measure(self).await?;
        Ok(KafkaReport {
            events,
            relay,
            feed,
            delay,
            take_over,
            outage,
        })
    }

    fn log(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    async fn meter(&self) -> Result<Meter, Error> {
        Meter::start(self.server, std::process::id(), self.broker.pid()?).await
    }

    /// Hands all events over, page by page.
    async fn each_page(&self, mut each: impl FnMut(Vec<StoredEvent>)) -> Result<(), Error> {
        let mut at = Position::START;
        loop {
            let page = self.store.read_after(at, 2_048).await?;
            let Some(last) = page.last() else { return Ok(()) };
            at = last.position;
            each(page);
        }
    }
}

fn client_error(what: &str) -> impl Fn(rdkafka::error::KafkaError) -> Error {
    let what = what.to_owned();
    move |error| Error::Other(format!("{what}: {error}"))
}
