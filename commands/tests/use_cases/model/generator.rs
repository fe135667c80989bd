//! What is asked for next in a random journey.

use super::action::{Action, Report, Source};
use super::state::{ADMIN, CREATORS, Model, SPONSORS, USERS};
use crate::dice::Dice;

/// The most campaigns and missions of a journey: few, so that much happens to each.
const CAMPAIGNS: usize = 4;
const MISSIONS: usize = 12;

/// A request. As a rule one that the model finds nothing wrong with: several of one kind are tried, then other kinds.
pub(crate) fn likely(dice: &mut Dice, model: &Model) -> Action {
    let careful = dice.percent(85);
    loop {
        let kind = dice.below(100);
        for _ in 0..24 {
            match pick(dice, model, kind) {
                Some(action) if !careful || model.wrong(&action).is_empty() => return action,
                Some(_) => {}
                None => break,
            }
        }
    }
}

/// One of a kind; nothing if there is nothing yet that it could be about.
fn pick(dice: &mut Dice, model: &Model, kind: u64) -> Option<Action> {
    Some(match kind {
        0..16 => of_sponsor(dice, model, kind)?,
        16..30 => of_mission(dice, model, kind)?,
        30..66 => of_work(dice, model, kind)?,
        66..95 => of_payout(dice, model, kind)?,
        95..97 => {
            let source = source(dice, model)?;
            Action::Raise { source }
        }
        _ => Action::Resolve {
            flag: dice.index(model.flags.len())?,
            dismiss: dice.percent(80),
        },
    })
}

fn of_sponsor(dice: &mut Dice, model: &Model, kind: u64) -> Option<Action> {
    let sponsor = SPONSORS.start + dice.index(SPONSORS.len())?;
    let who = actor(dice, sponsor);
    match kind {
        0..3 => {
            let user = if dice.percent(90) { who } else { dice.index(USERS)? };
            let (cents, entry) = (dice.amount(40_000), dice.below(400));
            return Some(Action::OnRamp { user, cents, entry });
        }
        3..5 if model.campaigns.len() >= CAMPAIGNS => return None,
        3..5 => {
            let budget = dice.amount(100_000_000);
            return Some(Action::Create { who, budget });
        }
        _ => {}
    }
    let campaign = dice.recent(model.campaigns.len())?;
    let who = actor(dice, model.campaigns[campaign].owner);
    Some(match kind {
        5 => {
            let budget = dice.amount(100_000_000);
            Action::Edit { who, campaign, budget }
        }
        6..9 => Action::Publish { who, campaign },
        9 => Action::Pause { who, campaign },
        10 if dice.percent(15) => Action::Close { who, campaign },
        _ => {
            let amount = dice.amount(20_000_000);
            Action::Fund { who, campaign, amount }
        }
    })
}

fn of_mission(dice: &mut Dice, model: &Model, kind: u64) -> Option<Action> {
    if kind < 20 {
        if model.missions.len() >= MISSIONS {
            return None;
        }
        let campaign = dice.recent(model.campaigns.len())?;
        return Some(Action::AddMission {
            who: actor(dice, model.campaigns[campaign].owner),
            campaign,
            reward: dice.amount(15_000_000),
            days: i64::try_from(dice.below(40)).ok()? + 1,
            places: u32::try_from(dice.below(3)).ok()? + 1,
        });
    }
    let mission = dice.recent(model.missions.len())?;
    let who = actor(dice, model.owner_of(mission));
    Some(match kind {
        20..22 => Action::OpenMission { who, mission },
        22 => Action::CloseMission { who, mission },
        _ => {
            let mut users = vec![creator(dice)?];
            if dice.percent(40) {
                users.push(dice.index(USERS)?);
            }
            Action::Invite { who, mission, users }
        }
    })
}

fn of_work(dice: &mut Dice, model: &Model, kind: u64) -> Option<Action> {
    let mission = dice.recent(model.missions.len())?;
    let work = (mission, creator(dice)?);
    let (of_creator, of_sponsor) = (actor(dice, work.1), actor(dice, model.owner_of(mission)));
    Some(match kind {
        30..37 => Action::Accept { who: of_creator, work },
        37 => Action::Decline { who: of_creator, work },
        38..40 => Action::Withdraw { who: of_creator, work },
        40..44 => Action::Join {
            who: of_creator,
            mission,
        },
        44..53 => {
            let fits = dice.percent(90);
            Action::Submit {
                who: of_creator,
                mission,
                fits,
            }
        }
        53..63 => {
            let approve = dice.percent(75);
            Action::Review {
                who: of_sponsor,
                work,
                approve,
            }
        }
        63..65 => Action::Expire { work },
        _ => Action::CancelInvitation { work },
    })
}

fn of_payout(dice: &mut Dice, model: &Model, kind: u64) -> Option<Action> {
    if kind < 73 {
        let (campaign, who) = (dice.index(model.campaigns.len())?, creator(dice)?);
        let payable = model.payable.get(&(campaign, who)).copied().unwrap_or_default();
        let amount = match dice.below(10) {
            0 => payable + dice.amount(10_000),
            1 => dice.amount(20_000),
            2..5 => payable,
            _ => payable / 2,
        };
        let who = actor(dice, who);
        return Some(Action::Request { who, campaign, amount });
    }
    let payout = dice.recent(model.payouts.len())?;
    let (campaign, creator) = (model.payouts[payout].campaign, model.payouts[payout].creator);
    let of_sponsor = actor(dice, model.campaigns[campaign].owner);
    Some(match kind {
        73..79 => {
            let who = if dice.percent(30) { ADMIN } else { of_sponsor };
            let reads = dice.percent(92);
            Action::Approve { who, payout, reads }
        }
        79 => Action::Reject {
            who: of_sponsor,
            payout,
        },
        80 => {
            let who = actor(dice, creator);
            Action::Cancel { who, payout }
        }
        81..87 => Action::Send { payout },
        _ => {
            let report = match dice.below(10) {
                0..5 => Report::Settled,
                5..8 => Report::Failed {
                    finally: dice.percent(20),
                },
                _ => Report::Unknown,
            };
            Action::Report { payout, report }
        }
    })
}

fn source(dice: &mut Dice, model: &Model) -> Option<Source> {
    Some(match dice.below(4) {
        0 => Source::User(dice.index(USERS)?),
        1 => Source::Campaign(dice.recent(model.campaigns.len())?),
        2 => Source::Work((dice.recent(model.missions.len())?, creator(dice)?)),
        _ => Source::Payout(dice.recent(model.payouts.len())?),
    })
}

fn creator(dice: &mut Dice) -> Option<usize> {
    Some(CREATORS.start + dice.index(CREATORS.len())?)
}

/// Nearly always who should ask, sometimes anybody.
fn actor(dice: &mut Dice, right: usize) -> usize {
    match dice.percent(94) {
        true => right,
        false => dice.index(USERS).unwrap_or(right),
    }
}
