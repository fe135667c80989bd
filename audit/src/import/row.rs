//! One row: what it says, or why it is refused before the ledger is asked.

use super::columns::Columns;
use super::records::Record;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeMap;
use viral_ledger::{Address, Amount, Asset, Code, NewTransaction, Posting, Reference, identifier, timestamp};
use viral_store::canonical;

/// The kind of the reference that marks imported transactions; its id is the source.
pub(super) const REFERENCE: &str = "import";

/// The longest id, in characters.
const ID_LENGTH: usize = 200;

/// The free field that keeps the entry's id.
const ENTRY_ID: &str = "entry_id";

/// A row that can be posted, if the ledger agrees.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) entry_id: String,
    /// What is wrong with the spelling of its id or of its source. Where the log has it so from before there was one
    /// spelling only, it is known all the same, and nothing is posted for it again.
    pub(super) misspelt: Option<String>,
    pub(super) transaction: NewTransaction,
    /// The transaction in canonical form, to tell an entry that was changed.
    pub(super) content: String,
    /// Its only posting.
    pub(super) posting: Posting,
    /// The printed balance, where it is to be checked.
    pub(super) printed: Option<String>,
}

impl Row {
    /// Both accounts.
    pub(super) fn addresses(&self) -> [&Address; 2] {
        [&self.posting.debit, &self.posting.credit]
    }
}

/// Reads a row. `check` is the place of the printed balance.
pub(super) fn read(record: &Record, columns: &Columns, source: &str, check: Option<usize>) -> Result<Row, String> {
    if record.len() != columns.names.len() {
        return Err(format!(
            "{} columns, the first line has {}",
            record.len(),
            columns.names.len()
        ));
    }
    let place = columns.required;
    let entry_id = entry_id(text(record, columns, place.entry_id)?)?;
    let effective_at = effective_at(text(record, columns, place.effective_date)?)?;
    let debit = account("debit_account", text(record, columns, place.debit_account)?)?;
    let credit = account("credit_account", text(record, columns, place.credit_account)?)?;
    if debit == credit {
        return Err(format!("debit_account and credit_account are the same: {debit}"));
    }
    let asset = Asset::parse(text(record, columns, place.asset)?).map_err(|error| format!("asset: {error}"))?;
    let amount = amount(text(record, columns, place.amount)?, asset)?;
    let posting = Posting {
        debit,
        credit,
        amount,
        asset,
    };
    let description = Some(text(record, columns, place.description)?).filter(|text| !text.is_empty());
    let mut metadata = BTreeMap::from([(ENTRY_ID.to_owned(), entry_id.to_owned())]);
    for index in &columns.extra {
        let value = text(record, columns, *index)?;
        if let Some(name) = columns.names.get(*index).filter(|_| !value.is_empty()) {
            metadata.insert(name.clone(), value.to_owned());
        }
    }
    let transaction = NewTransaction {
        code: Code::JOURNAL,
        description: description.map(str::to_owned),
        effective_at: Some(effective_at),
        metadata,
        postings: vec![posting.clone()],
        reference: Some(Reference {
            kind: REFERENCE.to_owned(),
            id: source.to_owned(),
        }),
    };
    Ok(Row {
        entry_id: entry_id.to_owned(),
        misspelt: misspelt(entry_id, source),
        content: canonical::to_text(&transaction).map_err(|error| error.to_string())?,
        transaction,
        posting,
        printed: check
            .map(|place| text(record, columns, place).map(str::to_owned))
            .transpose()?,
    })
}

fn text<'a>(record: &'a Record, columns: &Columns, place: usize) -> Result<&'a str, String> {
    let bytes = record.get(place).unwrap_or_default();
    std::str::from_utf8(bytes).map_err(|error| {
        let name = columns.names.get(place).map(String::as_str).unwrap_or_default();
        let byte = error.valid_up_to() + 1;
        format!("{name}: byte {byte} is not UTF-8: save the file in UTF-8")
    })
}

fn entry_id(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        Err("entry_id: is empty".to_owned())
    } else if text.chars().count() > ID_LENGTH || text.chars().any(char::is_control) {
        Err("entry_id: at most 200 characters and no control characters are allowed".to_owned())
    } else {
        Ok(text)
    }
}

fn misspelt(entry_id: &str, source: &str) -> Option<String> {
    let check = |what: &str, text: &str| {
        let invalid = identifier::check(text, ID_LENGTH).err()?;
        Some(format!("{what}: {invalid}"))
    };
    check("entry_id", entry_id).or_else(|| check("the source (--source, or the file's name)", source))
}

fn effective_at(text: &str) -> Result<DateTime<Utc>, String> {
    let date = text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10);
    if let Some(date) = date {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(timestamp::truncate(time.with_timezone(&Utc))),
        Err(_) => {
            let text: String = text.chars().take(64).collect();
            Err(format!(
                "effective_date: {text:?} is not a date such as 1993-01-31 or a time as in RFC 3339"
            ))
        }
    }
}

fn account(column: &str, text: &str) -> Result<Address, String> {
    let address = Address::parse(text).map_err(|error| format!("{column}: {error}"))?;
    if address.is_reserved() {
        return Err(format!(
            "{column}: {address} is reserved: accounts under user, campaign, payout, platform and stripe move only \
             through the platform itself"
        ));
    }
    Ok(address)
}

fn amount(text: &str, asset: Asset) -> Result<Amount, String> {
    let amount = Amount::parse(text, asset).map_err(|error| format!("amount: {error}"))?;
    if !amount.is_positive() {
        return Err(format!(
            "amount: {text} is not more than zero: swap the accounts instead of the sign"
        ));
    }
    Ok(amount)
}
