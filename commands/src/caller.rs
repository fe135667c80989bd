//! Who asks for something, and which request it is.

use crate::request::RequestIdentity;
use uuid::Uuid;
use viral_domain::UserId;
use viral_domain::user::Role;
use viral_ledger::ids::derived;

/// Whose objects a caller may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Any,
    /// The caller's own; those of others are as if they were not there.
    Own,
}

impl Scope {
    /// The scope's name, as it stands in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Any => "any",
            Scope::Own => "own",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The pseudonymous id that becomes the actor of events.
    pub name: String,
    /// The user, unless it is the platform's operator or a part of the platform itself.
    pub user: Option<UserId>,
    /// What the caller is to the platform.
    pub role: Role,
    /// Whose objects the caller may touch in this call.
    pub scope: Scope,
}

impl Caller {
    /// A part of the platform that acts on its own.
    pub fn system(name: &str) -> Caller {
        Caller {
            name: format!("system:{name}"),
            user: None,
            role: Role::Admin,
            scope: Scope::Any,
        }
    }

    /// Whether everything is the caller's business, as for an admin and for the platform itself.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.scope == Scope::Any
    }

    /// Whether an object of this owner is the caller's business.
    pub fn may_touch(&self, owner: UserId) -> bool {
        self.scope == Scope::Any || self.user == Some(owner)
    }
}

/// Which request it is: what makes it happen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The unit's id.
    pub unit_id: Uuid,
    /// Tells a retry from another request with the same id.
    pub request_hash: Option<String>,
    /// The request or process that it belongs to.
    pub correlation_id: Option<String>,
    /// The event that it follows from.
    pub causation_id: Option<String>,
}

impl Request {
    /// A request that came with an idempotency key.
    pub fn keyed(identity: RequestIdentity, correlation_id: impl Into<String>) -> Request {
        Request {
            unit_id: identity.unit_id,
            request_hash: Some(identity.request_hash),
            correlation_id: Some(correlation_id.into()),
            causation_id: None,
        }
    }

    /// Something that follows from what is in the log: it happens once for this purpose and these parts.
    pub fn consequence(purpose: &str, parts: &[&[u8]], causation_id: Option<Uuid>) -> Request {
        Request {
            unit_id: derived(purpose, parts),
            request_hash: None,
            correlation_id: None,
            causation_id: causation_id.map(|id| id.to_string()),
        }
    }
}
