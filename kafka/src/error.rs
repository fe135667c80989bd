//! What can go wrong with the published log, and whether trying again can help.

use rdkafka::error::RDKafkaErrorCode as Code;
use viral_store::feed::FeedError;
use viral_store::{Position, StoreError};

/// An error of the published log. The store is never touched by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// No broker answers, or one took too long.
    #[error("Kafka cannot be reached: {0}")]
    Unavailable(String),
    /// The settings of the client are wrong.
    #[error("Kafka's client cannot be set up: {0}")]
    Client(String),
    /// The brokers refuse what the platform may not do.
    #[error("Kafka refuses: {0}")]
    Denied(String),
    /// A topic is not there.
    #[error("topic {0} is not there: `viral migrate` makes it, and the relay fills it from the store")]
    NoTopic(String),
    /// A topic has another number of partitions, so that events would be looked for in the wrong ones.
    #[error(
        "topic {topic} has {found} partitions instead of {expected}: delete it, then `viral migrate` makes it anew and \
         the relay fills it from the store"
    )]
    Partitions {
        /// Which topic.
        topic: String,
        /// How many it has.
        found: usize,
        /// How many it must have.
        expected: i32,
    },
    /// A topic has a setting that loses records or refuses them.
    #[error("topic {topic} has {name}={found}, it must have {name}={expected}: change it with kafka-configs.sh")]
    Setting {
        /// Which topic.
        topic: String,
        /// Which setting.
        name: String,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// The topics are not a copy of this store's log.
    #[error("{0}")]
    Diverged(String),
    /// The topics lack what should be there.
    #[error("{0}")]
    Incomplete(String),
    /// A record was refused by the brokers for its own sake.
    #[error("position {position} was refused by the brokers: {problem}")]
    Refused {
        /// Which event.
        position: Position,
        /// What they say.
        problem: String,
    },
    /// The store that is published.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes what is read cannot go on.
    #[error("{0}")]
    Sink(String),
}

impl KafkaError {
    /// Whether the same call may succeed later without anybody changing anything but the surroundings.
    pub fn is_retryable(&self) -> bool {
        match self {
            KafkaError::Unavailable(_) => true,
            KafkaError::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl From<rdkafka::error::KafkaError> for KafkaError {
    fn from(error: rdkafka::error::KafkaError) -> KafkaError {
        use rdkafka::error::KafkaError as Client;
        match &error {
            Client::ClientConfig(..) | Client::ClientCreation(_) | Client::Nul(_) => {
                KafkaError::Client(error.to_string())
            }
            _ => KafkaError::Unavailable(error.to_string()),
        }
    }
}

impl From<KafkaError> for FeedError {
    fn from(error: KafkaError) -> FeedError {
        match error {
            KafkaError::Store(error) => FeedError::Store(error),
            KafkaError::Unavailable(problem) => FeedError::Unavailable(problem),
            KafkaError::Incomplete(problem) => FeedError::Incomplete(problem),
            other => FeedError::Setup(other.to_string()),
        }
    }
}

/// Whether a topic or one of its partitions is not there (any more).
pub(crate) fn is_missing_topic(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition
    )
}

/// Whether the brokers, or those that are needed, are not there now.
pub(crate) fn is_away(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
            | Code::NetworkException
            | Code::NotController
            | Code::BrokerNotAvailable
            | Code::CoordinatorNotAvailable
    )
}

/// Whether the offset that was asked for is not there: the topic is another one now, or records were deleted.
pub(crate) fn is_out_of_range(code: Code) -> bool {
    matches!(code, Code::OffsetOutOfRange | Code::AutoOffsetReset)
}
