//! Versions of stored events. An event is a fact and is never rewritten: a type that has to say something else gets another
//! version, and what was stored in an older one is turned into the newest as it is read, step by step.
//!
//! Each type of event is one line of [`event_types!`](crate::event_types) with its own version. The line of a type that has
//! older versions names each of them, from the first on: how its writer spelled it, so that its bytes can still be checked,
//! and the step to the version after it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A type of event, with the versions in which it may be stored.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// Its name, the text that tags its JSON: `book.hold_placed`.
    pub name: &'static str,
    /// The version that is written, a decimal number.
    pub version: &'static str,
    /// The versions before it, from version 1 on.
    pub older: &'static [Older],
}

/// A version of an event that is not written any more.
#[derive(Debug, Clone, Copy)]
pub struct Older {
    /// What a payload of this version says, as its writer spelled it.
    respell: fn(&str) -> serde_json::Result<Value>,
    /// From this version to the next one.
    upcast: fn(Value) -> Result<Value, String>,
}

impl Older {
    /// A version that is kept as the type that was written then, and the step to the version after it. What the later
    /// version asks for and this one did not say must come out as it was meant then.
    pub const fn of<E: Serialize + DeserializeOwned>(upcast: fn(Value) -> Result<Value, String>) -> Older {
        Older {
            respell: |payload| serde_json::from_str::<E>(payload).and_then(serde_json::to_value),
            upcast,
        }
    }
}

/// An event that is stored under a type and a version. Implemented by [`event_types!`](crate::event_types).
pub trait Versioned: Serialize + DeserializeOwned {
    /// All types of these events, in the order of their variants.
    const TYPES: &'static [EventType];

    /// The event's type, the same text that tags its JSON.
    fn event_type(&self) -> &'static str;

    /// The version in which it is written.
    fn version(&self) -> &'static str;
}

/// Why a stored event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There is no such event as far as this program knows: a later one may have written it.
    #[error("{event_type} version {version} is not known to this version of the program: update it")]
    UnknownType {
        /// Its type.
        event_type: String,
        /// Its version.
        version: String,
    },
    /// The event is known, but not in this version.
    #[error("{event_type} version {version} is not known to this version of the program: update it")]
    UnknownVersion {
        /// Its type.
        event_type: String,
        /// Its version.
        version: String,
    },
    /// It is not what it says it is, whoever wrote it.
    #[error("{0}")]
    Malformed(String),
}

impl DecodeError {
    /// Of a type that nobody here knows.
    pub fn unknown_type(event_type: &str, version: &str) -> DecodeError {
        let (event_type, version) = (event_type.to_owned(), version.to_owned());
        DecodeError::UnknownType { event_type, version }
    }

    /// Whether a later version of the program may be able to read it.
    pub fn is_unknown(&self) -> bool {
        !matches!(self, DecodeError::Malformed(_))
    }
}

/// Reads a stored event, whatever the version it was written in.
pub fn read<E: Versioned>(event_type: &str, version: &str, payload: &str) -> Result<E, DecodeError> {
    let malformed = |error: serde_json::Error| DecodeError::Malformed(format!("payload: {error}"));
    let event: E = match older::<E>(event_type, version)? {
        None => serde_json::from_str(payload).map_err(malformed)?,
        Some(steps) => {
            let value = serde_json::from_str(payload).map_err(malformed)?;
            let newest = steps.iter().try_fold(value, |value, step| (step.upcast)(value));
            let newest = newest.map_err(|problem| DecodeError::Malformed(format!("payload: {problem}")))?;
            serde_json::from_value(newest).map_err(malformed)?
        }
    };
    match event.event_type() {
        inside if inside == event_type => Ok(event),
        inside => Err(DecodeError::Malformed(format!(
            "the payload's type is {inside}, the event's {event_type}"
        ))),
    }
}

/// What the writer of an older version made of what a payload says; nothing where the version is the newest, whose writer
/// is the event's own.
pub fn respelled<E: Versioned>(event_type: &str, version: &str, payload: &str) -> Option<serde_json::Result<Value>> {
    let steps = older::<E>(event_type, version).ok().flatten()?;
    steps.first().map(|written| (written.respell)(payload))
}

/// The steps from an older version to the newest one, none where it is the newest.
fn older<E: Versioned>(event_type: &str, version: &str) -> Result<Option<&'static [Older]>, DecodeError> {
    let Some(known) = E::TYPES.iter().find(|known| known.name == event_type) else {
        return Err(DecodeError::unknown_type(event_type, version));
    };
    if version == known.version {
        return Ok(None);
    }
    let index = (0..known.older.len()).find(|index| (index + 1).to_string() == version);
    match index.and_then(|index| known.older.get(index..)) {
        Some(steps) => Ok(Some(steps)),
        None => Err(DecodeError::UnknownVersion {
            event_type: event_type.to_owned(),
            version: version.to_owned(),
        }),
    }
}

/// Checks that every type can be read in all its versions: none is named twice, and each has as many steps as there are
/// versions before the one that is written.
pub fn check(types: &[EventType]) -> Result<(), String> {
    for (index, known) in types.iter().enumerate() {
        if types.iter().skip(index + 1).any(|other| other.name == known.name) {
            return Err(format!("the event {} is there twice", known.name));
        }
        if (known.older.len() + 1).to_string() != known.version {
            return Err(format!(
                "version {} of {} is written, but {} older ones can be read",
                known.version,
                known.name,
                known.older.len()
            ));
        }
    }
    Ok(())
}

/// Names the type and the version of every variant of an event, and the older versions where there are any:
/// `Placed => "hold.placed" "2" [Older::of::<PlacedV1>(upcast)],`. A variant without a line does not compile.
#[macro_export]
macro_rules! event_types {
    ($event:ident { $($variant:ident => $name:literal $version:literal $([$($older:expr),+])?,)+ }) => {
        impl $event {
            /// The event's type, the same text that tags its JSON.
            pub fn event_type(&self) -> &'static str {
                match self {
                    $($event::$variant(_) => $name,)+
                }
            }

            /// The version in which it is written.
            pub fn version(&self) -> &'static str {
                match self {
                    $($event::$variant(_) => $version,)+
                }
            }
        }

        impl $crate::versions::Versioned for $event {
            const TYPES: &'static [$crate::versions::EventType] = &[$(
                $crate::versions::EventType {
                    name: $name,
                    version: $version,
                    older: &[$($($older),+)?],
                },
            )+];

            fn event_type(&self) -> &'static str {
                $event::event_type(self)
            }

            fn version(&self) -> &'static str {
                $event::version(self)
            }
        }
    };
}

#[cfg(test)]
mod tests;
