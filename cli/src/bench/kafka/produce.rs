//! Publishing: the relay from empty topics to the end of the log, and a bare producer that sends the same records, which
//! were made before the clock began.

use super::super::meter::Cost;
use super::{Bed, client_error};
use crate::Error;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use std::time::Duration;
use tokio::sync::watch;
use viral_kafka::record::Record;
use viral_kafka::{Relay, Standing};
use viral_store::{EventStore as _, Position, StoredEvent, units};

/// How long a producer may take for what it holds at the end.
const FLUSH: Duration = Duration::from_secs(120);

pub(super) async fn relay(bed: &Bed<'_>) -> Result<Cost, Error> {
    bed.broker.fresh_topics().await?;
    let head = bed.store.head().await?.position;
    let relay = Relay::new(bed.broker.cluster(), bed.store.clone(), bed.store.leases());
    let mut status = relay.status();
    let (stop, stopped) = watch::channel(false);
    let mut running = tokio::spawn(async move { relay.run(stopped).await });
    let measured = async {
        // A relay that ends shows in what its task answers.
        let _ = status.wait_for(|status| status.standing == Standing::Active).await;
        let meter = bed.meter().await?;
        let _ = status.wait_for(|status| status.published >= head).await;
        Ok::<_, Error>(meter.cost(head.0))
    };
    let cost = tokio::select! {
        cost = measured => cost?,
        ended = &mut running => {
            let ended = ended.map_err(|e| Error::Other(e.to_string()))?;
            return Err(ended.err().map_or(Error::Other("the relay ended by itself".to_owned()), Error::from));
        }
    };
    let _ = stop.send(true);
    running.await.map_err(|e| Error::Other(e.to_string()))??;
    check(bed, head).await?;
    Ok(cost)
}

pub(super) async fn bare(bed: &Bed<'_>) -> Result<Cost, Error> {
    bed.broker.fresh_topics().await?;
    let head = bed.store.head().await?.position;
    let mut records = Vec::with_capacity(usize::try_from(head.0).unwrap_or(0));
    let mut problem = None;
    let mut make = |event: &StoredEvent, ends_unit: bool| match Record::of(event, bed.store.source(), ends_unit) {
        Ok(record) => records.push(record),
        Err(error) => problem = Some(error),
    };
    // Whether an event ends its unit is known with the next one.
    let mut held: Option<StoredEvent> = None;
    bed.each_page(|page| {
        for event in page {
            if let Some(before) = &held {
                make(before, units::unit(before) != units::unit(&event));
            }
            held = Some(event);
        }
    })
    .await?;
    if let Some(last) = &held {
        make(last, true);
    }
    if let Some(error) = problem {
        return Err(Error::Other(error.to_string()));
    }
    let mut config = bed.broker.client();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "100000")
        .set("queue.buffering.max.kbytes", "65536");
    let meter = bed.meter().await?;
    let sent = tokio::task::spawn_blocking(move || {
        let failed = client_error("the bare producer");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().map_err(&failed)?;
        for record in records {
            send(&producer, record)?;
        }
        producer.flush(FLUSH).map_err(&failed)
    });
    sent.await.map_err(|e| Error::Other(e.to_string()))??;
    let cost = meter.cost(head.0);
    check(bed, head).await?;
    Ok(cost)
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, record: Record) -> Result<(), Error> {
    let mut waiting = BaseRecord::to(record.partition.topic)
        .partition(record.partition.number)
        .key(&record.key)
        .payload(&record.value)
        .timestamp(record.timestamp)
        .headers(record.headers);
    while let Err((error, returned)) = producer.send(waiting) {
        if error.rdkafka_error_code() != Some(Code::QueueFull) {
            return Err(client_error("the bare producer")(error));
        }
        waiting = returned;
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Every event is there, once.
async fn check(bed: &Bed<'_>, head: Position) -> Result<(), Error> {
    let tails = viral_kafka::tails(&bed.broker.cluster(), bed.store.source()).await?;
    let records: i64 = tails.iter().map(|tail| tail.end - tail.start).sum();
    match u64::try_from(records) == Ok(head.0) {
        true => Ok(()),
        false => Err(Error::Other(format!(
            "the topics of the benchmark have {records} records, the log has {head} events"
        ))),
    }
}
