//! What the log says when it is read again from the start by somebody who trusts nobody, and the rules that it must keep:
//! every event is one that the published log describes, every event that moves money stands in one unit with exactly the
//! ledger's events that it says, and the aggregates and the ledger agree about every amount.

use crate::schemas::check_line;
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;
use viral_commands::book_reader::book_event;
use viral_commands::{BookAt, read_event};
use viral_domain::assignment::Assignment;
use viral_domain::campaign::{Campaign, Status as CampaignStatus};
use viral_domain::fraud_flag::FraudFlag;
use viral_domain::on_ramp::OnRamp;
use viral_domain::payout::Payout;
use viral_domain::user::{Login, User};
use viral_domain::{Aggregate, AssignmentId, CampaignId, DomainEvent as _, Effect, FlagId, PayoutId, UserId, effects};
use viral_ledger::{Address, Asset, Book, BookEvent, Command};
use viral_store::{StoredEvent, line};

/// The log of every world.
const SOURCE: &str = "urn:viral:log:00000000-0000-0000-0000-000000000007";

/// The state of everything as of some position.
#[derive(Default)]
pub(crate) struct Replay {
    book: BookAt,
    unit: Option<Uuid>,
    /// What the events of the unit at hand still have to do to the ledger.
    due: VecDeque<Effect>,
    /// The stream of the event before, unless it was the book's.
    stream: Option<viral_store::StreamId>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) campaigns: BTreeMap<CampaignId, Campaign>,
    pub(crate) assignments: BTreeMap<AssignmentId, Assignment>,
    pub(crate) payouts: BTreeMap<PayoutId, Payout>,
    pub(crate) flags: BTreeMap<FlagId, FraudFlag>,
    on_ramps: BTreeMap<Uuid, OnRamp>,
}

impl Replay {
    pub(crate) fn of(log: &[StoredEvent]) -> Replay {
        let mut replay = Replay::default();
        replay.take(log);
        replay
    }

    /// Takes in the next events; they must end with a unit.
    pub(crate) fn take(&mut self, events: &[StoredEvent]) {
        for event in events {
            check_line(&line::to_line(event, SOURCE).unwrap());
            self.begin_unit(event);
            self.book.apply(event).unwrap();
            match event.stream.aggregate_type.as_ref() {
                BookEvent::AGGREGATE_TYPE => self.on_book(event),
                User::TYPE => evolve(&mut self.due, &mut self.users, UserId, event),
                Campaign::TYPE => evolve(&mut self.due, &mut self.campaigns, CampaignId, event),
                Assignment::TYPE => evolve(&mut self.due, &mut self.assignments, AssignmentId, event),
                Payout::TYPE => evolve(&mut self.due, &mut self.payouts, PayoutId, event),
                FraudFlag::TYPE => evolve(&mut self.due, &mut self.flags, FlagId, event),
                OnRamp::TYPE => evolve(&mut self.due, &mut self.on_ramps, |id| id, event),
                Login::TYPE => drop(read_event::<<Login as Aggregate>::Event>(event).unwrap()),
                other => panic!("{other} at position {}", event.position),
            }
        }
        assert!(self.due.is_empty(), "not posted: {:?}", self.due);
    }

    /// What an aggregate's events do to the ledger follows them at once: before the next unit, and before the events of
    /// another stream.
    fn begin_unit(&mut self, event: &StoredEvent) {
        let position = event.position;
        let unit = event.parse_metadata().unwrap().unit_id;
        if self.unit != Some(unit) {
            assert_eq!(event.event_id, unit, "a unit has the id of its first event, {position}");
            assert!(self.due.is_empty(), "not posted before {position}: {:?}", self.due);
            self.unit = Some(unit);
            self.stream = None;
        }
        if event.stream.aggregate_type == BookEvent::AGGREGATE_TYPE {
            return;
        }
        if self.stream.as_ref() != Some(&event.stream) {
            assert!(self.due.is_empty(), "not posted before {position}: {:?}", self.due);
            self.stream = Some(event.stream.clone());
        }
    }

    fn on_book(&mut self, event: &StoredEvent) {
        let happened = book_event(event).unwrap();
        if self.stream.is_none() {
            let actor = event.parse_metadata().unwrap().actor;
            let platform =
                matches!(happened, BookEvent::AccountOpened(_)) && actor.as_deref() == Some("system:platform");
            assert!(platform, "nothing says why {happened:?} happened");
            return;
        }
        let effect = self.due.pop_front();
        let effect = effect.unwrap_or_else(|| panic!("no event says that {happened:?}"));
        assert!(
            effect.id.is_none_or(|id| id == event.event_id),
            "{effect:?} is {happened:?}"
        );
        assert!(
            carries_out(&effect.command, &happened),
            "{effect:?} is not {happened:?}"
        );
    }

    /// The last position that is part of it.
    pub(crate) fn position(&self) -> viral_store::Position {
        self.book.position()
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book.book
    }

    pub(crate) fn campaign(&self, id: CampaignId) -> &Campaign {
        &self.campaigns[&id]
    }

    pub(crate) fn assignment(&self, id: AssignmentId) -> &Assignment {
        &self.assignments[&id]
    }

    pub(crate) fn payout(&self, id: PayoutId) -> &Payout {
        &self.payouts[&id]
    }

    /// What is in an account of V-Coin and what is held there, in minor units.
    pub(crate) fn vcoin(&self, address: &Address) -> (i128, i128) {
        let account = self
            .book()
            .account(address)
            .unwrap_or_else(|| panic!("{address} is not open"));
        assert_eq!(account.asset, Asset::VCOIN);
        (account.balance(), account.held.minor())
    }

    /// Debits equal credits, and the aggregates agree with the ledger and with each other.
    pub(crate) fn check(&self) {
        for (asset, totals) in self.book().totals() {
            assert_eq!(totals.debits, totals.credits, "{asset}");
        }
        self.campaigns
            .values()
            .for_each(|campaign| self.check_campaign(campaign));
        for (id, assignment) in &self.assignments {
            let offer = assignment.offer.as_ref().unwrap();
            let campaign = self.campaign(offer.campaign);
            let place = campaign.places.get(id).map(|place| place.hold);
            assert_eq!(assignment.hold, place, "assignment {id} and its campaign");
            let approved = assignment.status == viral_domain::assignment::Status::Approved;
            assert_eq!(approved, campaign.rewarded.contains(id), "assignment {id}");
        }
        self.payouts
            .iter()
            .for_each(|(id, payout)| self.check_payout(*id, payout));
        let creators = self
            .users
            .iter()
            .filter(|(_, user)| user.role == Some(viral_domain::user::Role::Creator));
        creators.for_each(|(id, _)| self.check_creator(*id));
    }

    fn check_campaign(&self, campaign: &Campaign) {
        let (balance, held) = self.vcoin(&effects::escrow(campaign.id));
        let escrow = campaign.funded - campaign.paid - campaign.returned;
        assert_eq!(balance, escrow.minor(), "escrow of {}", campaign.id);
        assert_eq!(held, campaign.held().minor(), "holds of {}", campaign.id);
        assert_eq!(balance - held, campaign.left().minor(), "rest of {}", campaign.id);
        for place in campaign.places.values() {
            let hold = self.book().hold(place.hold).expect("a place has a hold");
            assert_eq!(hold.amount, place.reward.0);
        }
        for (id, mission) in &campaign.missions {
            let held = campaign.places.values().filter(|place| place.mission == *id).count();
            let of_mission = |assignment: &&AssignmentId| {
                self.assignment(**assignment)
                    .offer
                    .as_ref()
                    .is_some_and(|offer| offer.mission == *id)
            };
            let paid = campaign.rewarded.iter().filter(of_mission).count();
            assert_eq!(usize::try_from(mission.taken).unwrap(), held + paid, "places of {id}");
            assert!(mission.taken <= mission.added.places, "{id} is oversold");
        }
        if campaign.status == CampaignStatus::Closed {
            assert_eq!((balance, held), (0, 0), "{} is closed", campaign.id);
        }
        for (payout, open) in &campaign.open_payouts {
            assert!(!self.payout(*payout).status.is_over(), "{payout}");
            assert!(self.users[&open.creator].open_payouts.contains(payout), "{payout}");
        }
    }

    fn check_payout(&self, id: PayoutId, payout: &Payout) {
        let request = payout.request.as_ref().unwrap();
        let expected = match payout.status.is_over() {
            true => 0,
            false => request.amount_vcoin.0.minor(),
        };
        assert_eq!(self.vcoin(&effects::pending(id)), (expected, 0), "payout {id}");
        let open = self.campaign(request.campaign).open_payouts.contains_key(&id);
        assert_eq!(open, !payout.status.is_over(), "payout {id}");
        assert_eq!(
            self.users[&request.creator].open_payouts.contains(&id),
            open,
            "payout {id}"
        );
    }

    /// A creator's wallet has what was earned and bought and is not paid out or on its way.
    fn check_creator(&self, creator: UserId) {
        let payable = self
            .campaigns
            .values()
            .map(|campaign| campaign.payable(creator).minor());
        let completed = self.on_ramps.values().filter_map(|on_ramp| on_ramp.completed.as_ref());
        let bought = completed.filter(|completed| completed.user == creator);
        let bought = bought.map(|completed| completed.amount_vcoin.0.minor());
        let expected: i128 = payable.chain(bought).sum();
        assert_eq!(
            self.vcoin(&effects::wallet(creator)),
            (expected, 0),
            "wallet of {creator}"
        );
    }
}

fn evolve<A: Aggregate, I: Ord>(
    due: &mut VecDeque<Effect>,
    states: &mut BTreeMap<I, A>,
    id: impl Fn(Uuid) -> I,
    event: &StoredEvent,
) {
    let happened = read_event::<A::Event>(event).unwrap();
    due.extend(happened.effects());
    let key = id(event.stream.aggregate_id.parse().unwrap());
    states.entry(key).or_default().evolve(&happened);
}

/// Whether an event of the ledger is what was to be done, and nothing else.
fn carries_out(command: &Command, event: &BookEvent) -> bool {
    match (command, event) {
        (
            Command::OpenAccount {
                account,
                asset,
                normal_side,
                may_go_negative,
            },
            BookEvent::AccountOpened(opened),
        ) => {
            (account, asset) == (&opened.account, &opened.asset)
                && (*normal_side, *may_go_negative) == (opened.normal_side, opened.may_go_negative)
        }
        (Command::Post(new), BookEvent::TransactionPosted(posted)) => posted.captures.is_none() && same(new, posted),
        (Command::Capture { hold, transaction }, BookEvent::TransactionPosted(posted)) => {
            posted.captures == Some(*hold) && same(transaction, posted)
        }
        (Command::PlaceHold { account, amount, .. }, BookEvent::HoldPlaced(placed)) => {
            (account, *amount) == (&placed.account, placed.amount) && placed.expires_at.is_none()
        }
        (Command::VoidHold { hold, .. }, BookEvent::HoldVoided(voided)) => *hold == voided.hold,
        _ => false,
    }
}

fn same(new: &viral_ledger::NewTransaction, posted: &viral_ledger::Transaction) -> bool {
    posted.reverses.is_none()
        && (&new.code, &new.reference) == (&posted.code, &posted.reference)
        && new.postings == posted.postings
}
