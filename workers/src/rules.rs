//! The rules: what is due, and what is to be done about it.

use crate::rounds::unavailable;
use uuid::Uuid;
use viral_commands::use_cases::{CancelInvitation, ExpireAssignment, ExpireHold, SubmitPayout};
use viral_commands::{Caller, CommandError, Commands, Outcome, Request};
use viral_domain::{AssignmentId, PayoutId};
use viral_projections::queries::{Due, ReadModels};

/// The most of each kind that one round does.
const AT_ONCE: usize = 500;
/// Who pays while no payment provider is connected: a person at a bank, who reports the outcome.
const MANUAL: &str = "manual";

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// The deadline of an assignment has passed without work: the hold on its reward is voided.
    ExpireAssignment(Due),
    /// The campaign or the mission of an invitation was closed.
    CancelInvitation(Due),
    /// A payout has all its approvals.
    SubmitPayout(Due),
    /// The time of a hold is over.
    ExpireHold(Uuid),
}

/// Everything that is due now.
pub(crate) async fn due(commands: &Commands, read_models: &ReadModels) -> Result<Vec<Job>, CommandError> {
    let now = commands.now();
    let mut jobs = Vec::new();
    let expired = read_models
        .overdue_assignments(now, AT_ONCE)
        .await
        .map_err(unavailable)?;
    jobs.extend(expired.value.into_iter().map(Job::ExpireAssignment));
    let void = read_models.void_invitations(AT_ONCE).await.map_err(unavailable)?;
    jobs.extend(void.value.into_iter().map(Job::CancelInvitation));
    let approved = read_models.payouts_to_submit(AT_ONCE).await.map_err(unavailable)?;
    jobs.extend(approved.value.into_iter().map(Job::SubmitPayout));
    let holds = commands.writer().read(move |book, _| {
        let over = book
            .holds()
            .iter()
            .filter(|(_, hold)| hold.expires_at.is_some_and(|at| at <= now));
        over.take(AT_ONCE).map(|(id, _)| *id).collect::<Vec<_>>()
    });
    jobs.extend(holds.await?.into_iter().map(Job::ExpireHold));
    Ok(jobs)
}

impl Job {
    /// Does it, once for the event that made it due.
    pub(crate) async fn run(&self, commands: &Commands, caller: &Caller) -> Result<Outcome, CommandError> {
        let once = |purpose, due: &Due| {
            let parts: [&[u8]; 2] = [due.id.as_bytes(), &due.position.0.to_be_bytes()];
            Request::consequence(purpose, &parts, None)
        };
        match self {
            Job::ExpireAssignment(due) => {
                let assignment = AssignmentId(due.id);
                let case = ExpireAssignment { assignment };
                commands.run(caller, &once("expire_assignment", due), &case).await
            }
            Job::CancelInvitation(due) => {
                let case = CancelInvitation {
                    assignment: AssignmentId(due.id),
                    reason: Some("the mission or its campaign was closed".to_owned()),
                };
                commands.run(caller, &once("cancel_invitation", due), &case).await
            }
            Job::SubmitPayout(due) => {
                let case = SubmitPayout {
                    payout: PayoutId(due.id),
                    provider: MANUAL.to_owned(),
                };
                commands.run(caller, &once("submit_payout", due), &case).await
            }
            Job::ExpireHold(hold) => {
                let request = Request::consequence("expire_hold", &[hold.as_bytes()], None);
                commands.run(caller, &request, &ExpireHold { hold: *hold }).await
            }
        }
    }
}
