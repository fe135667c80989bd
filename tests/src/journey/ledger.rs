//! Balances from the log's transactions and holds alone, read without the product's code.

use serde_json::Value;
use std::collections::BTreeMap;

/// Debits, credits and open holds.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Debits and credits by account and asset.
    pub accounts: BTreeMap<(String, String), (i128, i128)>,
    holds: BTreeMap<String, (String, i128)>,
}

impl Ledger {
    /// Takes in an event of the book.
    pub fn apply(&mut self, id: &str, event_type: &str, data: &Value) {
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        match event_type {
            "book.account_opened" => {
                self.accounts.entry((text("account"), text("asset"))).or_default();
            }
            "book.transaction_posted" => {
                for posting in data["postings"].as_array().unwrap() {
                    self.post(posting);
                }
                if let Some(hold) = data["captures"].as_str() {
                    assert!(self.holds.remove(hold).is_some(), "captured twice: {data}");
                }
            }
            "book.hold_placed" => {
                let hold = (text("account"), digits(&data["amount"]));
                assert!(self.holds.insert(id.to_owned(), hold).is_none());
            }
            "book.hold_voided" | "book.hold_expired" => {
                assert!(self.holds.remove(&text("hold")).is_some(), "resolved twice: {data}");
            }
            _ => {}
        }
    }

    fn post(&mut self, posting: &Value) {
        let (asset, amount) = (posting["asset"].as_str().unwrap(), digits(&posting["amount"]));
        let of = |side: &str| (posting[side].as_str().unwrap().to_owned(), asset.to_owned());
        self.accounts.entry(of("debit")).or_default().0 += amount;
        self.accounts.entry(of("credit")).or_default().1 += amount;
    }

    /// What is on an account, counted as a wallet's: credits less debits.
    pub fn balance(&self, account: &str) -> i128 {
        let key = (account.to_owned(), "VCOIN".to_owned());
        let (debits, credits) = self.accounts.get(&key).copied().unwrap_or_default();
        credits - debits
    }

    /// What is held on an account.
    pub fn held(&self, account: &str) -> i128 {
        let on = self.holds.values().filter(|(held_on, _)| held_on == account);
        on.map(|(_, amount)| amount).sum()
    }
}

/// An amount in minor units of its asset, which has as many digits as the log writes.
fn digits(amount: &Value) -> i128 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}
