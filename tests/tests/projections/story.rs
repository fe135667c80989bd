//! A small story that touches every table: two campaigns' worth of work and money between one sponsor and two creators.

use super::world::{World, event, seal};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;
use viral_domain::assignment::{self, Accepted, AssignmentEvent, Deliverable, Offered};
use viral_domain::campaign::{
    Brief, CampaignEvent, Created, Edited, Funded, MissionAdded, OfCampaign, OfMission, PayoutOfCampaign, PlaceFreed,
    PlaceTaken, Returned, RewardPaid,
};
use viral_domain::engagement::Recorded;
use viral_domain::fraud_flag::{FraudFlagEvent, Raised, Resolved, SourceType};
use viral_domain::on_ramp::{Completed, OnRampEvent};
use viral_domain::payout::{
    self, Approval, Approved, Attempt, Ended, FlagOfPayout, PayoutEvent, Requested, SecondFactor, Settled,
};
use viral_domain::user::{ProfileChanged, Registered, Role, UserEvent, Verification, VerificationChanged};
use viral_domain::{
    AssignmentId, BasisPoints, CampaignId, FlagId, Measurement, MissionId, Money, OnRampId, PayoutId, Rate,
    Requirements, UserId, Vcoin,
};
use viral_ledger::{Amount, Asset, Command, Posting};

pub fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

pub fn usd(text: &str) -> Money {
    let asset = Asset::parse("USD").unwrap();
    Money {
        amount: Amount::parse(text, asset).unwrap(),
        asset,
    }
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Ids that say who they are.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub const SPONSOR: u128 = 0x01;
pub const CREATOR: u128 = 0x02;
pub const OTHER: u128 = 0x03;
pub const CAMPAIGN: u128 = 0x10;
pub const MISSION: u128 = 0x11;
pub const PAYOUT: u128 = 0x20;
pub const CANCELLED_PAYOUT: u128 = 0x21;
pub const FLAG: u128 = 0x30;

pub fn profile(name: &str) -> String {
    json!({"bio": "", "display_name": name, "email": format!("{name}@example.org"), "links": []}).to_string()
}

pub fn registered(user: Uuid, role: Role, profile: &str) -> UserEvent {
    UserEvent::Registered(Registered {
        profile: seal(user, profile),
        role,
        user: UserId(user),
    })
}

pub fn profile_changed(user: Uuid, profile: &str) -> UserEvent {
    UserEvent::ProfileChanged(ProfileChanged {
        profile: seal(user, profile),
        user: UserId(user),
    })
}

pub fn bought(user: Uuid, entry: &str, fiat: &str, amount: &str) -> (Uuid, OnRampEvent) {
    let on_ramp = OnRampId::of(entry);
    let completed = Completed {
        amount_vcoin: vcoin(amount),
        fiat: usd(fiat),
        fiat_entry: entry.to_owned(),
        on_ramp,
        rate: Rate::parse("0.01").unwrap(),
        transaction: Uuid::now_v7(),
        user: UserId(user),
    };
    (on_ramp.0, OnRampEvent::Completed(completed))
}

pub fn brief(title: &str, budget: &str) -> Brief {
    Brief {
        budget_vcoin: vcoin(budget),
        campaign_type: "launch".to_owned(),
        description: "Show it.\nTwice.".to_owned(),
        end_at: at("2026-12-31T00:00:00Z"),
        kpi_config: Map::from_iter([("impressions".to_owned(), json!(100_000))]),
        start_at: at("2026-01-01T12:30:00.000001Z"),
        title: title.to_owned(),
    }
}

pub fn funded(campaign: Uuid, sponsor: Uuid, amount: &str) -> CampaignEvent {
    CampaignEvent::Funded(Funded {
        amount_vcoin: vcoin(amount),
        campaign: CampaignId(campaign),
        sponsor: UserId(sponsor),
        transaction: Uuid::now_v7(),
    })
}

/// Everything up to two creators at work in a funded campaign; answers their assignments.
pub async fn begins(world: &World) -> (AssignmentId, AssignmentId) {
    let people = [
        (SPONSOR, Role::Sponsor, "sponsor"),
        (CREATOR, Role::Creator, "creator"),
        (OTHER, Role::Creator, "other"),
    ];
    for (user, role, name) in people {
        world
            .append(event("user", id(user), registered(id(user), role, &profile(name))))
            .await;
    }
    let verified = VerificationChanged {
        verification: Verification::Verified,
        user: UserId(id(CREATOR)),
    };
    world
        .append(event("user", id(CREATOR), UserEvent::VerificationChanged(verified)))
        .await;
    world
        .append(event(
            "user",
            id(OTHER),
            profile_changed(id(OTHER), &profile("another")),
        ))
        .await;
    let (on_ramp, completed) = bought(id(SPONSOR), "charge-1", "50.00", "5000");
    world.append(event("on_ramp", on_ramp, completed)).await;

    let campaign = CampaignId(id(CAMPAIGN));
    let created = Created {
        brief: brief("Draft", "2000"),
        campaign,
        sponsor: UserId(id(SPONSOR)),
    };
    world
        .append(event("campaign", campaign.0, CampaignEvent::Created(created)))
        .await;
    let edited = Edited {
        brief: brief("A launch", "3000.5"),
        campaign,
    };
    world
        .append(event("campaign", campaign.0, CampaignEvent::Edited(edited)))
        .await;
    let added = MissionAdded {
        campaign,
        deadline: at("2026-06-30T00:00:00Z"),
        mission: MissionId(id(MISSION)),
        mission_type: "video".to_owned(),
        places: 2,
        requirements: Requirements::parse(json!({"required": ["url"]})).unwrap(),
        reward_vcoin: vcoin("100"),
    };
    world
        .append(event("campaign", campaign.0, CampaignEvent::MissionAdded(added)))
        .await;
    world
        .append(event(
            "campaign",
            campaign.0,
            CampaignEvent::Published(OfCampaign { campaign }),
        ))
        .await;
    let mission = OfMission {
        campaign,
        mission: MissionId(id(MISSION)),
    };
    world
        .append(event("campaign", campaign.0, CampaignEvent::MissionOpened(mission)))
        .await;
    world
        .append(event("campaign", campaign.0, funded(campaign.0, id(SPONSOR), "1000")))
        .await;

    let offer = offer(id(CREATOR));
    world
        .append(event(
            "assignment",
            offer.assignment.0,
            AssignmentEvent::Invited(offer.clone()),
        ))
        .await;
    (accept(world, offer).await, accept(world, self::offer(id(OTHER))).await)
}

fn offer(creator: Uuid) -> Offered {
    Offered {
        assignment: AssignmentId::of(MissionId(id(MISSION)), UserId(creator)),
        campaign: CampaignId(id(CAMPAIGN)),
        creator: UserId(creator),
        deadline: at("2026-06-30T00:00:00Z"),
        mission: MissionId(id(MISSION)),
        reward_vcoin: vcoin("100"),
        sponsor: UserId(id(SPONSOR)),
    }
}

fn hold_of(assignment: AssignmentId) -> Uuid {
    viral_ledger::ids::derived("test hold", &[assignment.0.as_bytes()])
}

async fn accept(world: &World, offer: Offered) -> AssignmentId {
    let (assignment, hold) = (offer.assignment, hold_of(offer.assignment));
    let taken = PlaceTaken {
        assignment,
        campaign: offer.campaign,
        creator: offer.creator,
        hold,
        mission: offer.mission,
        reward_vcoin: offer.reward_vcoin,
    };
    let accepted = Accepted {
        fee_bps: BasisPoints(500),
        hold,
        offer,
    };
    let together = event("assignment", assignment.0, AssignmentEvent::Accepted(accepted));
    world
        .append(together.and("campaign", id(CAMPAIGN), CampaignEvent::PlaceTaken(taken)))
        .await;
    assignment
}

/// The first creator is paid, the other's place is freed.
pub async fn is_reviewed(world: &World, paid: AssignmentId, rejected: AssignmentId) {
    for assignment in [paid, rejected] {
        let submitted = assignment::Submitted {
            assignment,
            deliverable: Deliverable {
                details: Map::from_iter([("views".to_owned(), json!(1.5e-7))]),
                stream_id: None,
                url: Some("https://example.org/video".to_owned()),
            },
            hold: None,
            submission: 1,
        };
        world
            .append(event("assignment", assignment.0, AssignmentEvent::Submitted(submitted)))
            .await;
    }
    let transaction = Uuid::now_v7();
    let approved = assignment::Approved {
        assignment: paid,
        fee_vcoin: vcoin("5"),
        net_vcoin: vcoin("95"),
        transaction,
    };
    let reward = RewardPaid {
        assignment: paid,
        campaign: CampaignId(id(CAMPAIGN)),
        creator: UserId(id(CREATOR)),
        fee_bps: BasisPoints(500),
        fee_vcoin: vcoin("5"),
        hold: hold_of(paid),
        mission: MissionId(id(MISSION)),
        net_vcoin: vcoin("95"),
        reward_vcoin: vcoin("100"),
        sponsor: UserId(id(SPONSOR)),
        transaction,
    };
    let together = event("assignment", paid.0, AssignmentEvent::Approved(approved));
    world
        .append(together.and("campaign", id(CAMPAIGN), CampaignEvent::RewardPaid(reward)))
        .await;
    let freed = PlaceFreed {
        assignment: rejected,
        campaign: CampaignId(id(CAMPAIGN)),
        hold: hold_of(rejected),
        mission: MissionId(id(MISSION)),
        reward_vcoin: vcoin("100"),
    };
    let why = assignment::WithReason {
        assignment: rejected,
        reason: Some("too short".to_owned()),
    };
    let together = event("assignment", rejected.0, AssignmentEvent::Rejected(why));
    world
        .append(together.and("campaign", id(CAMPAIGN), CampaignEvent::PlaceFreed(freed)))
        .await;
}

fn requested(payout: u128, amount: &str, fiat: &str) -> Requested {
    let (payout, creator, campaign) = (PayoutId(id(payout)), UserId(id(CREATOR)), CampaignId(id(CAMPAIGN)));
    Requested {
        admin_limit_vcoin: vcoin("40"),
        amount_vcoin: vcoin(amount),
        attempts: 3,
        campaign,
        creator,
        digest: payout::digest(payout, creator, campaign, vcoin(amount), usd(fiat)),
        fiat: usd(fiat),
        payout,
        rate: Rate::parse("0.01").unwrap(),
        sponsor: UserId(id(SPONSOR)),
        transaction: Uuid::now_v7(),
    }
}

/// One payout is held, released, sent twice and settled; another one is cancelled.
pub async fn is_paid_out(world: &World) {
    let payout = PayoutId(id(PAYOUT));
    let request = requested(PAYOUT, "50.5", "0.50");
    let reserved = PayoutOfCampaign {
        amount_vcoin: request.amount_vcoin,
        campaign: request.campaign,
        creator: request.creator,
        payout,
    };
    let approval = |by: &str| Approval {
        by: by.to_owned(),
        digest: request.digest.clone(),
        payout,
        second_factor: SecondFactor::Totp,
    };
    let together = event("payout", payout.0, PayoutEvent::Requested(request.clone()));
    world
        .append(together.and("campaign", id(CAMPAIGN), CampaignEvent::PayoutReserved(reserved)))
        .await;
    world
        .append(event(
            "payout",
            payout.0,
            PayoutEvent::SponsorApproved(approval("a sponsor")),
        ))
        .await;
    raise_and_dismiss(world, payout).await;
    let approved = Approved {
        admin: Some(approval("an admin")),
        payout,
    };
    world
        .append(event("payout", payout.0, PayoutEvent::Approved(approved)))
        .await;
    let submitted = |attempt| payout::Submitted {
        attempt,
        payout,
        provider: "manual".to_owned(),
    };
    world
        .append(event("payout", payout.0, PayoutEvent::Submitted(submitted(1))))
        .await;
    let failed = Attempt {
        attempt: 1,
        payout,
        reason: Some("no such account".to_owned()),
    };
    world
        .append(event("payout", payout.0, PayoutEvent::AttemptFailed(failed)))
        .await;
    world
        .append(event("payout", payout.0, PayoutEvent::Submitted(submitted(2))))
        .await;
    let settled = Settled {
        amount_vcoin: request.amount_vcoin,
        attempt: 2,
        fiat: request.fiat,
        payout,
        provider_reference: Some("bank-7".to_owned()),
        transaction: Uuid::now_v7(),
    };
    world
        .append(event("payout", payout.0, PayoutEvent::Settled(settled)))
        .await;

    let request = requested(CANCELLED_PAYOUT, "10", "0.10");
    world
        .append(event(
            "payout",
            request.payout.0,
            PayoutEvent::Requested(request.clone()),
        ))
        .await;
    let ended = Ended {
        amount_vcoin: request.amount_vcoin,
        creator: request.creator,
        payout: request.payout,
        reason: Some("later".to_owned()),
        transaction: Uuid::now_v7(),
    };
    world
        .append(event("payout", request.payout.0, PayoutEvent::Cancelled(ended)))
        .await;
}

async fn raise_and_dismiss(world: &World, payout: PayoutId) {
    let flag = FlagId(id(FLAG));
    let raised = Raised {
        flag,
        reasons: vec!["velocity".to_owned(), "same device".to_owned()],
        score: 80,
        source_id: id(CREATOR),
        source_type: SourceType::User,
    };
    let together = event("fraud_flag", flag.0, FraudFlagEvent::Raised(raised));
    let held = PayoutEvent::Held(FlagOfPayout { flag, payout });
    world.append(together.and("payout", payout.0, held)).await;
    let resolved = Resolved {
        flag,
        note: Some("asked, all fine".to_owned()),
        reviewer: "a reviewer".to_owned(),
    };
    let together = event("fraud_flag", flag.0, FraudFlagEvent::Dismissed(resolved));
    let released = PayoutEvent::Released(FlagOfPayout { flag, payout });
    world.append(together.and("payout", payout.0, released)).await;
}

/// A purchase is taken back, a hold on a wallet is voided, the campaign ends.
pub async fn ends(world: &World) -> Uuid {
    let (on_ramp, completed) = bought(id(SPONSOR), "charge-2", "1.00", "100");
    let OnRampEvent::Completed(purchase) = &completed;
    let (original, user) = (purchase.transaction, purchase.user);
    world.append(event("on_ramp", on_ramp, completed)).await;
    let postings = vec![
        posting("stripe:usd:clearing", "platform:usd:backing", "1.00", usd("0").asset),
        posting("platform:issuance", &format!("user:{user}:wallet"), "100", Asset::VCOIN),
    ];
    let reverse = Command::Reverse {
        original,
        postings,
        is_reversal: false,
        reason: Some("charged back".to_owned()),
    };
    world.ledger(reverse).await;
    let hold = Command::PlaceHold {
        account: viral_domain::effects::wallet(user),
        amount: vcoin("7").0,
        asset: Asset::VCOIN,
        expires_at: Some(at("2100-01-01T00:00:00Z")),
        reference: None,
    };
    let placed = world.ledger(hold).await;
    let hold = world.store_event(placed).await;
    world.ledger(Command::VoidHold { hold, reason: None }).await;

    let returned = |amount: &str, transaction| Returned {
        campaign: CampaignId(id(CAMPAIGN)),
        returned_vcoin: vcoin(amount),
        sponsor: UserId(id(SPONSOR)),
        transaction,
    };
    let closing = CampaignEvent::Closing(returned("900", Some(Uuid::now_v7())));
    let closed = CampaignEvent::Closed(returned("0", None));
    world
        .append(event("campaign", id(CAMPAIGN), closing).and("campaign", id(CAMPAIGN), closed))
        .await;
    original
}

fn posting(debit: &str, credit: &str, amount: &str, asset: Asset) -> Posting {
    let address = |text| viral_ledger::Address::parse(text).unwrap();
    Posting {
        debit: address(debit),
        credit: address(credit),
        amount: Amount::parse(amount, asset).unwrap(),
        asset,
    }
}

/// All of it; answers the two assignments and the transaction that was reversed.
pub async fn whole(world: &World) -> (AssignmentId, AssignmentId, Uuid) {
    let (paid, rejected) = begins(world).await;
    is_reviewed(world, paid, rejected).await;
    is_paid_out(world).await;
    (paid, rejected, ends(world).await)
}

/// An object of some columns of a row.
pub fn columns(row: &Value, names: &[&str]) -> Value {
    let named: BTreeMap<&str, &Value> = names.iter().map(|name| (*name, &row[*name])).collect();
    json!(named)
}

/// What somebody measured of a creator's work.
pub fn measured(campaign: Uuid, creator: Uuid) -> Recorded {
    let measurement = Measurement {
        platform: "youtube".to_owned(),
        id: "video".to_owned(),
        version: 1,
        campaign_id: CampaignId(campaign),
        creator_id: UserId(creator),
        timestamp: at("2026-01-20T12:00:00Z"),
        impressions: 1_000,
        clicks: 50,
        watch_time: 3_600,
        conversions: 2,
    };
    let at = at("2026-01-20T13:00:00Z");
    Recorded { measurement, at }
}
