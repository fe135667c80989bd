//! What events make of accounts and holds. Transactions are beside this.

use super::place::{Kind, Place, account_id};
use super::table::{AccountRow, HoldRow, TransactionRow};
use crate::fact::{Event, Fact, Problem};
use crate::model::Fold;
use crate::rows::{Rows, TableRows};
use crate::sums::{add, subtract};
use uuid::Uuid;
use viral_domain::campaign::CampaignEvent;
use viral_domain::payout::PayoutEvent;
use viral_domain::{UserId, Vcoin, effects};
use viral_ledger::event::{AccountOpened, HoldPlaced};
use viral_ledger::{Address, Asset, BookEvent, NormalSide};

#[derive(Default)]
pub(super) struct Wallets {
    pub(super) accounts: Rows<AccountRow>,
    pub(super) transactions: Rows<TransactionRow>,
    pub(super) holds: Rows<HoldRow>,
}

impl Fold for Wallets {
    fn touch(&mut self, event: &Event) {
        match &event.fact {
            Fact::Book(fact) => self.touch_book(fact),
            Fact::Campaign(CampaignEvent::Created(created)) => {
                self.accounts.want(account_id(&effects::escrow(created.campaign)));
            }
            Fact::Campaign(fact) => {
                if let Some((sponsor, _)) = in_escrows(fact) {
                    self.accounts.want(account_id(&effects::wallet(sponsor)));
                }
            }
            Fact::Payout(PayoutEvent::Requested(requested)) => {
                self.accounts.want(account_id(&effects::pending(requested.payout)));
            }
            _ => {}
        }
    }

    fn apply(&mut self, event: &Event) -> Result<(), Problem> {
        match &event.fact {
            Fact::Book(fact) => self.apply_book(event, fact),
            // These say whose the account is that the same unit opens next.
            Fact::Campaign(CampaignEvent::Created(created)) => {
                self.announce(event, &effects::escrow(created.campaign), created.sponsor)
            }
            Fact::Payout(PayoutEvent::Requested(requested)) => {
                self.announce(event, &effects::pending(requested.payout), requested.creator)
            }
            Fact::Campaign(fact) => match in_escrows(fact) {
                Some((sponsor, change)) => {
                    let wallet = self.accounts.change(account_id(&effects::wallet(sponsor)))?;
                    match change {
                        InEscrow::More(amount) => add(&mut wallet.escrow_balance, amount),
                        InEscrow::Less(amount) => subtract(&mut wallet.escrow_balance, amount),
                    }
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn TableRows> {
        vec![&mut self.accounts, &mut self.transactions, &mut self.holds]
    }
}

/// How much there is in a sponsor's escrows, compared with before.
enum InEscrow {
    More(Vcoin),
    Less(Vcoin),
}

fn in_escrows(fact: &CampaignEvent) -> Option<(UserId, InEscrow)> {
    match fact {
        CampaignEvent::Funded(funded) => Some((funded.sponsor, InEscrow::More(funded.amount_vcoin))),
        CampaignEvent::RewardPaid(paid) => Some((paid.sponsor, InEscrow::Less(paid.reward_vcoin))),
        CampaignEvent::Closing(returned) | CampaignEvent::Closed(returned) => {
            Some((returned.sponsor, InEscrow::Less(returned.returned_vcoin)))
        }
        _ => None,
    }
}

impl Wallets {
    fn touch_book(&mut self, fact: &BookEvent) {
        match fact {
            BookEvent::AccountOpened(opened) => self.accounts.want(account_id(&opened.account)),
            BookEvent::TransactionPosted(transaction) => self.touch_transaction(transaction),
            BookEvent::HoldPlaced(placed) if Place::of(&placed.account).is_some() => {
                self.holds.want(placed.hold);
                self.accounts.want(account_id(&placed.account));
            }
            BookEvent::HoldVoided(released) | BookEvent::HoldExpired(released) => self.touch_hold(released.hold),
            _ => {}
        }
    }

    /// A hold, and the account that it turns out to be on.
    pub(super) fn touch_hold(&mut self, hold: Uuid) {
        self.holds.want(hold);
        if let Some(row) = self.holds.get(hold) {
            self.accounts.want(row.account_id);
        }
    }

    fn apply_book(&mut self, event: &Event, fact: &BookEvent) -> Result<(), Problem> {
        match fact {
            BookEvent::AccountOpened(opened) => self.open(event, opened),
            BookEvent::TransactionPosted(transaction) => self.post(event, transaction),
            BookEvent::HoldPlaced(placed) => self.place_hold(event, placed),
            BookEvent::HoldVoided(released) => self.resolve_hold(event, released.hold, "voided"),
            BookEvent::HoldExpired(released) => self.resolve_hold(event, released.hold, "expired"),
            BookEvent::AccountFrozen(_)
            | BookEvent::AccountUnfrozen(_)
            | BookEvent::AccountClosed(_)
            | BookEvent::PeriodClosed(_)
            | BookEvent::SnapshotTaken(_) => Ok(()),
        }
    }

    /// The account of a campaign or a payout, from the event that says whose it is.
    fn announce(&mut self, event: &Event, address: &Address, user: UserId) -> Result<(), Problem> {
        let Some(place) = Place::of(address) else { return Ok(()) };
        let mut row = account(event, address, &place, NormalSide::Credit);
        row.user_id = Some(user.0);
        self.accounts.add(row)
    }

    fn open(&mut self, event: &Event, opened: &AccountOpened) -> Result<(), Problem> {
        let Some(place) = Place::of(&opened.account).filter(|_| opened.asset == Asset::VCOIN) else {
            return Ok(());
        };
        match self.accounts.get(account_id(&opened.account)) {
            // It was announced.
            Some(_) => {
                let row = self.accounts.change(account_id(&opened.account))?;
                row.normal_side = opened.normal_side;
                row.opened_at = event.recorded_at;
                Ok(())
            }
            None => self
                .accounts
                .add(account(event, &opened.account, &place, opened.normal_side)),
        }
    }

    fn place_hold(&mut self, event: &Event, placed: &HoldPlaced) -> Result<(), Problem> {
        if placed.asset != Asset::VCOIN || Place::of(&placed.account).is_none() {
            return Ok(());
        }
        let amount = Vcoin(placed.amount);
        let account = self.accounts.change(account_id(&placed.account))?;
        add(&mut account.held_vcoin, amount)?;
        let row = HoldRow {
            id: placed.hold,
            account_id: account.id,
            amount_vcoin: amount,
            reference_type: placed.reference.as_ref().map(|reference| reference.kind.clone()),
            reference_id: placed.reference.as_ref().map(|reference| reference.id.clone()),
            status: "open".to_owned(),
            user_id: account.user_id,
            campaign_id: account.campaign_id,
            expires_at: placed.expires_at,
            placed_at: event.recorded_at,
            resolved_at: None,
            position: 0,
        };
        self.holds.add(row)
    }

    /// Holds on accounts without a row have none either.
    pub(super) fn resolve_hold(&mut self, event: &Event, hold: Uuid, status: &str) -> Result<(), Problem> {
        if self.holds.get(hold).is_none() {
            return Ok(());
        }
        let row = self.holds.change(hold)?;
        if row.status != "open" {
            return Err(Problem(format!("hold {hold} is {} already", row.status)));
        }
        row.status = status.to_owned();
        row.resolved_at = Some(event.recorded_at);
        let (account, amount) = (row.account_id, row.amount_vcoin);
        subtract(&mut self.accounts.change(account)?.held_vcoin, amount)
    }
}

fn account(event: &Event, address: &Address, place: &Place, normal_side: NormalSide) -> AccountRow {
    AccountRow {
        id: account_id(address),
        user_id: place.owner_if(Kind::Wallet),
        balance_vcoin: Vcoin::ZERO,
        escrow_balance: Vcoin::ZERO,
        stripe_account_id: None,
        address: address.as_str().to_owned(),
        kind: place.kind,
        normal_side,
        campaign_id: place.owner_if(Kind::Escrow),
        payout_id: place.owner_if(Kind::Payout),
        held_vcoin: Vcoin::ZERO,
        opened_at: event.recorded_at,
        position: 0,
    }
}
