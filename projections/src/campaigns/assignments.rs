//! What events make of assignments.

use super::table::AssignmentRow;
use crate::fact::{Event, Problem};
use crate::rows::Rows;
use serde_json::{Map, Value};
use viral_domain::assignment::{Approved, AssignmentEvent, Offered, Status, Submitted};

pub(super) fn apply(rows: &mut Rows<AssignmentRow>, event: &Event, fact: &AssignmentEvent) -> Result<(), Problem> {
    match fact {
        AssignmentEvent::Invited(offer) => {
            begin(rows, event, offer, Status::Invited).invited_at = Some(event.recorded_at);
            Ok(())
        }
        AssignmentEvent::Accepted(accepted) => {
            let invited_at = rows.get(event.aggregate).and_then(|row| row.invited_at);
            let row = begin(rows, event, &accepted.offer, Status::Accepted);
            row.fee_bps = Some(accepted.fee_bps);
            row.accepted_at = Some(event.recorded_at);
            row.invited_at = invited_at;
            Ok(())
        }
        AssignmentEvent::Submitted(submitted) => submit(rows, event, submitted),
        AssignmentEvent::Approved(approved) => approve(rows, event, approved),
        AssignmentEvent::Rejected(why) => end(rows, event, Status::Rejected, why.reason.as_ref()),
        AssignmentEvent::Declined(why) => end(rows, event, Status::Declined, why.reason.as_ref()),
        AssignmentEvent::Withdrawn(why) => end(rows, event, Status::Withdrawn, why.reason.as_ref()),
        AssignmentEvent::Expired(_) => end(rows, event, Status::Expired, None),
        AssignmentEvent::Cancelled(why) => end(rows, event, Status::Cancelled, why.reason.as_ref()),
    }
}

/// An assignment from the beginning. Whoever is asked again starts afresh; only the submissions are counted on.
fn begin<'a>(
    rows: &'a mut Rows<AssignmentRow>,
    event: &Event,
    offer: &Offered,
    status: Status,
) -> &'a mut AssignmentRow {
    let submissions = rows.get(event.aggregate).map_or(0, |row| row.submissions);
    rows.put(AssignmentRow {
        id: event.aggregate,
        campaign_id: offer.campaign.0,
        creator_id: offer.creator.0,
        mission_id: offer.mission.0,
        assignment_status: status.as_str().to_owned(),
        deliverable_url: None,
        metrics: Map::new(),
        sponsor_id: offer.sponsor.0,
        stream_id: None,
        deliverable: None,
        reward_vcoin: offer.reward_vcoin,
        fee_bps: None,
        fee_vcoin: None,
        net_vcoin: None,
        submissions,
        deadline: offer.deadline,
        reason: None,
        invited_at: None,
        accepted_at: None,
        submitted_at: None,
        resolved_at: None,
        updated_at: event.recorded_at,
        position: 0,
    })
}

fn submit(rows: &mut Rows<AssignmentRow>, event: &Event, submitted: &Submitted) -> Result<(), Problem> {
    let row = rows.change(event.aggregate)?;
    let deliverable = &submitted.deliverable;
    let json = serde_json::to_value(deliverable).map_err(|e| Problem(format!("the deliverable is no JSON: {e}")))?;
    row.assignment_status = Status::Submitted.as_str().to_owned();
    row.deliverable_url.clone_from(&deliverable.url);
    row.stream_id = deliverable.stream_id;
    row.deliverable = Some(json).filter(Value::is_object);
    row.submissions = submitted.submission;
    row.reason = None;
    row.submitted_at = Some(event.recorded_at);
    row.resolved_at = None;
    row.updated_at = event.recorded_at;
    Ok(())
}

fn approve(rows: &mut Rows<AssignmentRow>, event: &Event, approved: &Approved) -> Result<(), Problem> {
    end(rows, event, Status::Approved, None)?;
    let row = rows.change(event.aggregate)?;
    row.fee_vcoin = Some(approved.fee_vcoin);
    row.net_vcoin = Some(approved.net_vcoin);
    Ok(())
}

fn end(rows: &mut Rows<AssignmentRow>, event: &Event, status: Status, reason: Option<&String>) -> Result<(), Problem> {
    let row = rows.change(event.aggregate)?;
    row.assignment_status = status.as_str().to_owned();
    row.reason = reason.cloned();
    row.resolved_at = Some(event.recorded_at);
    row.updated_at = event.recorded_at;
    Ok(())
}
