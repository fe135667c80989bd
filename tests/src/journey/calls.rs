//! What each of the clients may do next, by its role. All calls are well formed; whether they are possible at the moment
//! is another matter.

use super::chance::Chance;
use super::people::Stage;
use crate::process::Call;
use serde_json::{Value, json};

/// Who a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// One of several people at the sponsor's.
    Sponsor,
    /// One of several devices of this creator.
    Creator(usize),
    /// An admin.
    Operator,
}

impl Part {
    /// The part of client number `n`: of eight, two are the sponsor's, one is an admin, the rest are creators.
    pub(super) fn of(n: usize, creators: usize) -> Part {
        match n % 8 {
            0 | 1 => Part::Sponsor,
            7 => Part::Operator,
            seat => Part::Creator((n / 8 * 5 + seat - 2) % creators),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Look,
    Fund,
    Invite,
    Review,
    Approve,
    Reject,
    Pause,
    Publish,
    CloseMission,
    Close,
    Join,
    Accept,
    Leave,
    Deliver,
    Ask,
    Cancel,
    Flag,
    Resolve,
    Report,
}

impl Stage {
    /// The next call of a client. `late` is when campaigns end.
    pub(super) fn next(&self, part: Part, chance: &mut Chance, late: bool) -> Call {
        use Deed::*;
        let closing = if late { 8 } else { 0 };
        let deed = match part {
            Part::Sponsor => chance.weighted(&[
                (if self.wealth > 1 { 100 } else { 8 }, Fund),
                (12, Invite),
                (40, Review),
                (35, Approve),
                (2, Reject),
                (1, Pause),
                (8, Publish),
                (closing / 8, CloseMission),
                (closing, Close),
                (4, Look),
            ]),
            Part::Creator(_) => chance.weighted(&[
                (20, Join),
                (15, Accept),
                (3, Leave),
                (32, Deliver),
                (20, Ask),
                (2, Cancel),
                (8, Look),
            ]),
            Part::Operator => chance.weighted(&[
                (30, Approve),
                (2, Flag),
                (15, Resolve),
                (45, Report),
                (closing / 4, Close),
                (5, Look),
            ]),
        };
        self.call(deed, part, chance).unwrap_or_else(|| self.look(part, chance))
    }

    /// The call, if there is anything that it could be about.
    fn call(&self, deed: Deed, part: Part, chance: &mut Chance) -> Option<Call> {
        let campaign = |end: &str| format!("/v1/campaigns/{}/{end}", self.campaign);
        let assignment = |id: &str, end: &str| format!("/v1/assignments/{id}/{end}");
        Some(match deed {
            Deed::Look => self.look(part, chance),
            Deed::Fund => {
                let amount = format!("{}.{:04}", 1 + chance.below(120), chance.below(10_000));
                Call::post(campaign("fund"), json!({"amount_vcoin": amount}))
            }
            Deed::Pause => Call::post(campaign("pause"), json!({})),
            Deed::Publish => Call::post(campaign("publish"), json!({})),
            Deed::Close => Call::post(campaign("close"), json!({})),
            Deed::CloseMission => Call::post(format!("/v1/missions/{}/close", self.mission(chance)), json!({})),
            Deed::Invite => {
                let creator = &chance.one(&self.creators)?.id;
                let path = format!("/v1/missions/{}/assign", self.mission(chance));
                Call::post(path, json!({"creators": [creator]}))
            }
            Deed::Join => Call::post(format!("/v1/missions/{}/assign", self.mission(chance)), json!({})),
            Deed::Deliver => {
                let body = json!({"url": "https://example.org/work"});
                Call::post(format!("/v1/missions/{}/deliverables", self.mission(chance)), body)
            }
            Deed::Accept => Call::post(assignment(&self.assignment(part, chance)?, "accept"), json!({})),
            Deed::Leave => {
                let end = if chance.percent(50) { "decline" } else { "withdraw" };
                Call::post(assignment(&self.assignment(part, chance)?, end), json!({}))
            }
            Deed::Review => {
                let body = match chance.percent(85) {
                    true => json!({"verdict": "approve"}),
                    false => json!({"verdict": "reject", "reason": "not yet"}),
                };
                Call::post(assignment(&self.assignment(part, chance)?, "review"), body)
            }
            Deed::Ask => {
                let amount = format!("{}.{:04}", 1 + chance.below(30), chance.below(10_000));
                let body = json!({"campaign_id": self.campaign, "amount_vcoin": amount});
                Call::post("/v1/wallets/payout", body)
            }
            Deed::Approve | Deed::Reject | Deed::Cancel | Deed::Report => self.about_payout(deed, part, chance)?,
            Deed::Flag => self.flag(chance)?,
            Deed::Resolve => {
                let flags = self.board.lock().unwrap().flags.clone();
                let body = json!({"resolution": if chance.percent(95) { "dismiss" } else { "confirm" }});
                Call::post(format!("/v1/admin/fraud/{}/resolve", chance.one(&flags)?), body)
            }
        })
    }

    fn about_payout(&self, deed: Deed, part: Part, chance: &mut Chance) -> Option<Call> {
        let payouts = self.board.lock().unwrap().payouts.clone();
        let of_part: Vec<_> = match part {
            Part::Creator(creator) => payouts.into_iter().filter(|payout| payout.2 == creator).collect(),
            _ => payouts,
        };
        let (id, digest, _) = chance.one(&of_part)?;
        let (end, body) = match deed {
            Deed::Approve => ("approve", json!({"digest": digest})),
            Deed::Reject => ("reject", json!({"reason": "not now"})),
            Deed::Cancel => ("cancel", json!({})),
            _ => return Some(Call::post(format!("/v1/admin/payouts/{id}/outcome"), outcome(chance))),
        };
        Some(Call::post(format!("/v1/payouts/{id}/{end}"), body))
    }

    fn flag(&self, chance: &mut Chance) -> Option<Call> {
        let payouts = self.board.lock().unwrap().payouts.clone();
        let (kind, source) = match chance.below(8) {
            0 => ("user", chance.one(&self.creators)?.id.clone()),
            1 => ("campaign", self.campaign.clone()),
            _ => ("payout", chance.one(&payouts)?.0.clone()),
        };
        let body = json!({"source_type": kind, "source_id": source, "score": chance.below(101), "reasons": ["odd"]});
        Some(Call::post("/v1/admin/fraud", body))
    }

    fn look(&self, part: Part, chance: &mut Chance) -> Call {
        let campaign = format!("/v1/campaigns/{}", self.campaign);
        let paths = match part {
            Part::Sponsor => [
                campaign.clone(),
                format!("{campaign}/assignments"),
                "/v1/wallets/me".to_owned(),
            ],
            Part::Creator(_) => [
                campaign,
                "/v1/creators/me/dashboard".to_owned(),
                "/v1/wallets/me".to_owned(),
            ],
            Part::Operator => [
                format!("{campaign}/statement"),
                "/v1/payouts".to_owned(),
                "/v1/admin/fraud".to_owned(),
            ],
        };
        Call::get(paths[chance.below(3) as usize].clone())
    }

    fn mission(&self, chance: &mut Chance) -> String {
        self.missions[chance.below(self.missions.len() as u64) as usize]
            .id
            .clone()
    }

    /// An assignment that this client may do something about.
    fn assignment(&self, part: Part, chance: &mut Chance) -> Option<String> {
        let board = self.board.lock().unwrap();
        let own = |of: usize| part == Part::Sponsor || part == Part::Creator(of);
        let ids = board.assignments.iter().filter(|(_, of)| own(*of));
        let ids: Vec<&String> = ids.map(|(id, _)| id).collect();
        chance.one(&ids).map(|id| (*id).clone())
    }

    /// Puts on the board what an answer says.
    pub(super) fn learn(&self, part: Part, call: &Call, body: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut board = self.board.lock().unwrap();
        let mut assigned = Vec::new();
        match part {
            Part::Creator(creator) if call.path.ends_with("/assign") => assigned.push((text(&body["id"]), creator)),
            Part::Creator(creator) if call.path == "/v1/wallets/payout" => {
                let payout = (text(&body["id"]), text(&body["digest"]), creator);
                if !board.payouts.contains(&payout) {
                    board.payouts.push(payout);
                }
            }
            Part::Sponsor => {
                for invited in body["assignments"].as_array().into_iter().flatten() {
                    let creator = self.creators.iter().position(|it| invited["creator_id"] == it.id);
                    assigned.extend(creator.map(|creator| (text(&invited["id"]), creator)));
                }
            }
            Part::Operator if call.path == "/v1/admin/fraud" && call.body.is_object() => {
                board.flags.push(text(&body["id"]));
            }
            _ => {}
        }
        for assignment in assigned {
            if !board.assignments.contains(&assignment) {
                board.assignments.push(assignment);
            }
        }
    }
}

fn outcome(chance: &mut Chance) -> Value {
    match chance.below(10) {
        0 => json!({"outcome": "unknown"}),
        1 | 2 => json!({"outcome": "failed", "reason": "the bank was closed"}),
        3 => json!({"outcome": "failed", "final": true}),
        _ => json!({"outcome": "settled", "provider_reference": "of-a-test"}),
    }
}
