//! What events make of users.

use super::table::UserRow;
use crate::fact::{Event, Fact, Problem};
use crate::model::Fold;
use crate::rows::{Rows, TableRows};
use serde_json::{Map, Value};
use viral_domain::user::{Registered, UserEvent, Verification};

#[derive(Default)]
pub(super) struct Users {
    users: Rows<UserRow>,
}

impl Fold for Users {
    fn touch(&mut self, event: &Event) {
        self.users.want(event.aggregate);
    }

    fn apply(&mut self, event: &Event) -> Result<(), Problem> {
        let Fact::User(fact) = &event.fact else { return Ok(()) };
        match fact {
            UserEvent::Registered(registered) => return self.users.add(registered_user(event, registered)?),
            UserEvent::ProfileChanged(_) => {
                let profile = profile(event)?;
                self.users.change(event.aggregate)?.profile_metadata = profile;
            }
            UserEvent::VerificationChanged(changed) => {
                self.users.change(event.aggregate)?.verification_state = changed.verification;
            }
            // These concern the user's money, which other read models tell.
            UserEvent::PayoutOpened(_)
            | UserEvent::PayoutClosed(_)
            | UserEvent::Flagged(_)
            | UserEvent::FlagCleared(_) => return Ok(()),
        }
        self.users.change(event.aggregate)?.updated_at = event.recorded_at;
        Ok(())
    }

    fn tables(&mut self) -> Vec<&mut dyn TableRows> {
        vec![&mut self.users]
    }
}

fn registered_user(event: &Event, registered: &Registered) -> Result<UserRow, Problem> {
    Ok(UserRow {
        id: event.aggregate,
        role: registered.role,
        auth_provider_id: None,
        profile_metadata: profile(event)?,
        verification_state: Verification::Unverified,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
        position: 0,
    })
}

/// The profile in clear; none if the user was erased.
fn profile(event: &Event) -> Result<Option<Value>, Problem> {
    let Some(clear) = &event.clear else { return Ok(None) };
    // Without the parser's own words, which may quote what is personal.
    let profile: Map<String, Value> =
        serde_json::from_str(clear).map_err(|_| Problem("the profile is no JSON object".to_owned()))?;
    Ok(Some(Value::Object(profile)))
}
