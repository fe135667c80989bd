//! The calls, answered as the server answers them.

// A status is what tonic's services answer.
#![allow(clippy::result_large_err)]

use super::State;
use super::data::{Expected, Outcome, Proposed, Recorded};
use super::faults::{Append, Read};
use super::proto::event_store::client::server_features::server_features_server::{
    ServerFeatures, ServerFeaturesServer,
};
use super::proto::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use super::proto::event_store::client::streams::append_req::options::ExpectedStreamRevision;
use super::proto::event_store::client::streams::append_resp::success::{CurrentRevisionOption, PositionOption};
use super::proto::event_store::client::streams::append_resp::{self, wrong_expected_version as wrong};
use super::proto::event_store::client::streams::read_req::options::stream_options::RevisionOption;
use super::proto::event_store::client::streams::read_req::options::{CountOption, StreamOption};
use super::proto::event_store::client::streams::read_resp::read_event;
use super::proto::event_store::client::streams::streams_server::{Streams, StreamsServer};
use super::proto::event_store::client::streams::{
    AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq, ReadResp, TombstoneReq,
    TombstoneResp, append_req, read_req, read_resp,
};
use super::proto::event_store::client::{Empty, StreamIdentifier, Uuid as ProtoUuid, uuid as proto_uuid};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

/// The most that a message may have: an append that is too large must be refused for that, not for its message.
const MAX_MESSAGE: usize = 64 * 1_024 * 1_024;

pub(super) fn services(state: Arc<State>) -> (StreamsServer<Service>, ServerFeaturesServer<Service>) {
    let streams = StreamsServer::new(Service(state.clone())).max_decoding_message_size(MAX_MESSAGE);
    (streams, ServerFeaturesServer::new(Service(state)))
}

pub(super) struct Service(Arc<State>);

impl Service {
    fn check_caller<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let given = request.metadata().get("authorization").map(|value| value.as_bytes());
        match self.0.authorization {
            Some(wanted) if given != Some(wanted.as_bytes()) => Err(Status::unauthenticated("")),
            _ => Ok(()),
        }
    }
}

#[tonic::async_trait]
impl ServerFeatures for Service {
    async fn get_supported_methods(&self, _: Request<Empty>) -> Result<Response<SupportedMethods>, Status> {
        let method = |name: &str| SupportedMethod {
            method_name: name.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: Vec::new(),
        };
        Ok(Response::new(SupportedMethods {
            methods: vec![method("read"), method("append")],
            event_store_server_version: "25.1.0".to_owned(),
        }))
    }
}

#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = ReceiverStream<Result<ReadResp, Status>>;
    type BatchAppendStream = ReceiverStream<Result<BatchAppendResp, Status>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        self.check_caller(&request)?;
        let options = request.into_inner().options.ok_or_else(|| missing("options"))?;
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(answer_read(self.0.clone(), wanted(options)?, sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.check_caller(&request)?;
        let mut messages = request.into_inner();
        let mut header = None;
        let mut proposed = Vec::new();
        while let Some(message) = messages.message().await? {
            match message.content.ok_or_else(|| missing("content"))? {
                append_req::Content::Options(options) => header = Some(options),
                append_req::Content::ProposedMessage(message) => proposed.push(read_proposed(message)?),
            }
        }
        let header = header.ok_or_else(|| missing("options"))?;
        let stream = name(header.stream_identifier)?;
        let expected = header.expected_stream_revision.ok_or_else(|| missing("revision"))?;
        // In a task of its own: a caller that goes away does not stop what has begun.
        let appended = tokio::spawn(append(self.0.clone(), stream, expected, proposed));
        appended.await.map_err(|e| Status::internal(e.to_string()))?
    }

    async fn delete(&self, _: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(Status::unimplemented("the fake does not delete"))
    }

    async fn tombstone(&self, _: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        Err(Status::unimplemented("the fake does not delete"))
    }

    async fn batch_append(
        &self,
        _: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        Err(Status::unimplemented("the fake appends by Append"))
    }
}

async fn append(
    state: Arc<State>,
    stream: String,
    expected: ExpectedStreamRevision,
    proposed: Vec<Proposed>,
) -> Result<Response<AppendResp>, Status> {
    let _under_way = state.faults.begin_append();
    let fault = state.faults.of_append();
    match fault {
        Append::Fine | Append::AnswerLost => {}
        Append::Held => state.faults.hold().await,
        Append::Cut => {
            state.door.cut();
            return Err(Status::unavailable("cut"));
        }
        Append::Unavailable => return Err(Status::unavailable("the server is not ready")),
    }
    let state_expected = match expected {
        ExpectedStreamRevision::Any(_) => Expected::Any,
        ExpectedStreamRevision::NoStream(_) => Expected::NoStream,
        ExpectedStreamRevision::StreamExists(_) => Expected::Exists,
        ExpectedStreamRevision::Revision(revision) => Expected::Revision(revision),
    };
    let (outcome, limit) = {
        let mut data = state.data();
        (data.append(&stream, state_expected, proposed), data.max_append_bytes)
    };
    if fault == Append::AnswerLost {
        state.door.cut();
        return Err(Status::unavailable("cut"));
    }
    let result = match outcome {
        Outcome::TooLarge => return Err(too_large(limit)),
        Outcome::Written { revision, position } => append_resp::Result::Success(append_resp::Success {
            current_revision_option: Some(CurrentRevisionOption::CurrentRevision(revision)),
            position_option: Some(PositionOption::Position(append_resp::Position {
                commit_position: position,
                prepare_position: position,
            })),
        }),
        Outcome::WrongExpectedVersion { ends_at } => {
            append_resp::Result::WrongExpectedVersion(append_resp::WrongExpectedVersion {
                current_revision_option: Some(match ends_at {
                    Some(revision) => wrong::CurrentRevisionOption::CurrentRevision(revision),
                    None => wrong::CurrentRevisionOption::CurrentNoStream(Empty {}),
                }),
                expected_revision_option: Some(match expected {
                    ExpectedStreamRevision::Any(_) => wrong::ExpectedRevisionOption::ExpectedAny(Empty {}),
                    ExpectedStreamRevision::NoStream(_) => wrong::ExpectedRevisionOption::ExpectedNoStream(Empty {}),
                    ExpectedStreamRevision::StreamExists(_) => {
                        wrong::ExpectedRevisionOption::ExpectedStreamExists(Empty {})
                    }
                    ExpectedStreamRevision::Revision(revision) => {
                        wrong::ExpectedRevisionOption::ExpectedRevision(revision)
                    }
                }),
                ..Default::default()
            })
        }
    };
    Ok(Response::new(AppendResp { result: Some(result) }))
}

/// Which records a read asks for.
struct Wanted {
    stream: String,
    from: RevisionOption,
    count: u64,
    forwards: bool,
}

fn wanted(options: read_req::Options) -> Result<Wanted, Status> {
    let Some(StreamOption::Stream(of)) = options.stream_option else {
        return Err(Status::unimplemented("the fake reads single streams"));
    };
    let Some(CountOption::Count(count)) = options.count_option else {
        return Err(Status::unimplemented("the fake has no subscriptions"));
    };
    if count == 0 {
        return Err(Status::invalid_argument("a read of no records"));
    }
    Ok(Wanted {
        stream: name(of.stream_identifier)?,
        from: of.revision_option.ok_or_else(|| missing("revision"))?,
        count,
        forwards: options.read_direction == 0,
    })
}

async fn answer_read(state: Arc<State>, wanted: Wanted, sender: mpsc::Sender<Result<ReadResp, Status>>) {
    let fault = state.faults.of_read();
    let from = match wanted.from {
        RevisionOption::Revision(revision) => revision,
        RevisionOption::Start(_) => 0,
        RevisionOption::End(_) => u64::MAX,
    };
    let count = usize::try_from(wanted.count).unwrap_or(usize::MAX);
    let page = state.data().page(&wanted.stream, from, count, wanted.forwards);
    let send = async |content| {
        let content = Some(content);
        sender.send(Ok(ReadResp { content })).await
    };
    let Some((page, last)) = page else {
        let not_found = read_resp::StreamNotFound {
            stream_identifier: Some(identifier(&wanted.stream)),
        };
        // A caller that went away wants no answer.
        let _ = send(read_resp::Content::StreamNotFound(not_found)).await;
        return;
    };
    for (sent, record) in page.iter().enumerate() {
        if !go_on(&state, fault, sent, &sender).await || send(event(&wanted.stream, record)).await.is_err() {
            return;
        }
    }
    if go_on(&state, fault, usize::MAX, &sender).await {
        let _ = send(read_resp::Content::LastStreamPosition(last)).await;
    }
}

/// Lets the fault of a read happen when its time has come. Answers whether the read goes on.
async fn go_on(state: &State, fault: Read, sent: usize, sender: &mpsc::Sender<Result<ReadResp, Status>>) -> bool {
    match fault {
        Read::CutAfter(after) if sent >= after => {
            state.door.cut();
            false
        }
        Read::FailsAfter(after) if sent >= after => {
            let _ = sender.send(Err(Status::unavailable("the server is going down"))).await;
            false
        }
        Read::StallsAfter(after) if sent >= after => {
            // Until the caller has enough.
            sender.closed().await;
            false
        }
        _ => true,
    }
}

fn event(stream: &str, record: &Recorded) -> read_resp::Content {
    let id = proto_uuid::Value::String(record.id.to_string());
    let recorded = read_event::RecordedEvent {
        id: Some(ProtoUuid { value: Some(id) }),
        stream_identifier: Some(identifier(stream)),
        stream_revision: record.revision,
        prepare_position: record.position,
        commit_position: record.position,
        metadata: record.metadata.clone(),
        custom_metadata: record.custom_metadata.clone(),
        data: record.data.clone(),
    };
    read_resp::Content::Event(read_resp::ReadEvent {
        event: Some(recorded),
        link: None,
        position: Some(read_event::Position::CommitPosition(record.position)),
    })
}

fn identifier(stream: &str) -> StreamIdentifier {
    StreamIdentifier {
        stream_name: stream.as_bytes().to_vec(),
    }
}

fn name(identifier: Option<StreamIdentifier>) -> Result<String, Status> {
    let identifier = identifier.ok_or_else(|| missing("stream_identifier"))?;
    String::from_utf8(identifier.stream_name).map_err(|e| Status::invalid_argument(e.to_string()))
}

fn read_proposed(message: append_req::ProposedMessage) -> Result<Proposed, Status> {
    let id = match message.id.and_then(|id| id.value).ok_or_else(|| missing("id"))? {
        proto_uuid::Value::String(id) => id.parse().map_err(|_| Status::invalid_argument("id"))?,
        proto_uuid::Value::Structured(id) => {
            let [most, least] = [id.most_significant_bits, id.least_significant_bits].map(i64::cast_unsigned);
            Uuid::from_u64_pair(most, least)
        }
    };
    for property in ["type", "content-type"] {
        if !message.metadata.contains_key(property) {
            let status = Status::invalid_argument(format!("Required Metadata Property '{property}' is missing"));
            return Err(with_exception(status, "missing-required-metadata-property"));
        }
    }
    Ok(Proposed {
        id,
        metadata: message.metadata,
        custom_metadata: message.custom_metadata,
        data: message.data,
    })
}

fn too_large(limit: usize) -> Status {
    let status = Status::invalid_argument(format!("Maximum Append Size of {limit} Exceeded."));
    let mut status = with_exception(status, "maximum-append-size-exceeded");
    let limit = limit.to_string().parse().unwrap();
    status.metadata_mut().insert("maximum-append-size", limit);
    status
}

fn with_exception(mut status: Status, exception: &'static str) -> Status {
    let exception = tonic::metadata::MetadataValue::from_static(exception);
    status.metadata_mut().insert("exception", exception);
    status
}

fn missing(what: &str) -> Status {
    Status::invalid_argument(format!("{what} is missing"))
}
