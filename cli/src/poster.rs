//! Imports append through the writer: one unit an entry, whose id derives from the entry's source and id.

use async_trait::async_trait;
use viral_audit::import::{Entry, PortError, PostResult, Poster};
use viral_commands::{AppendError, Part, Receipt, Rejection, RequestIdentity, Unit, Writer};
use viral_ledger::ids::derived;
use viral_ledger::{Address, Command, Refusal};

/// Appends the entries of a foreign journal.
#[derive(Debug, Clone)]
pub(crate) struct WriterPoster {
    writer: Writer,
}

impl WriterPoster {
    pub(crate) fn new(writer: Writer) -> WriterPoster {
        WriterPoster { writer }
    }
}

#[async_trait]
impl Poster for WriterPoster {
    async fn existing(&self, addresses: Vec<Address>) -> Result<Vec<Address>, PortError> {
        let known = self.writer.read(move |book, _| {
            addresses
                .into_iter()
                .filter(|address| book.account(address).is_some())
                .collect()
        });
        known.await.map_err(|error| PortError {
            retryable: error.is_retryable(),
            reason: error.to_string(),
        })
    }

    async fn knows(&self, source: &str, entry_id: &str) -> Result<bool, PortError> {
        let id = RequestIdentity::imported(source, entry_id, "").unit_id;
        match self.writer.store().find(id).await {
            Ok(found) => Ok(found.is_some()),
            Err(error) => Err(PortError {
                retryable: error.is_retryable(),
                reason: error.to_string(),
            }),
        }
    }

    async fn post(&self, entries: Vec<Entry>) -> Vec<PostResult> {
        let units = entries.into_iter().map(unit).collect();
        self.writer
            .append_all_briefly(units)
            .await
            .into_iter()
            .map(result)
            .collect()
    }
}

fn unit(entry: Entry) -> Unit {
    let identity = RequestIdentity::imported(&entry.source, &entry.entry_id, &entry.content);
    // The first event has the unit's id; where that is the opening of an account, the transaction derives its own.
    let transaction_id = match entry.open.is_empty() {
        true => None,
        false => Some(derived(
            "imported transaction",
            &[entry.source.as_bytes(), entry.entry_id.as_bytes()],
        )),
    };
    let open = entry.open.into_iter().map(|account| Part::Ledger {
        id: None,
        command: Command::OpenAccount {
            account: account.address,
            asset: account.asset,
            normal_side: account.normal_side,
            may_go_negative: account.may_go_negative,
        },
    });
    let post = Part::Ledger {
        id: transaction_id,
        command: Command::Post(entry.transaction),
    };
    Unit::new(identity.unit_id, open.chain([post]).collect())
        .with_request_hash(identity.request_hash)
        .with_actor("import")
}

fn result(appended: Result<Receipt, AppendError>) -> PostResult {
    match appended {
        Ok(Receipt {
            position,
            duplicate: true,
        }) => PostResult::Duplicate(position),
        Ok(Receipt {
            position,
            duplicate: false,
        }) => PostResult::Posted(position),
        Err(AppendError::KeyReused { position }) => PostResult::Reused(position),
        Err(AppendError::Rejected(Rejection::Ledger(Refusal::AccountExists(_)))) => PostResult::AccountExists,
        Err(AppendError::Rejected(rejection)) => PostResult::Refused(rejection.to_string()),
        Err(error) if error.is_retryable() => PostResult::Unavailable(error.to_string()),
        Err(error) => PostResult::Failed(error.to_string()),
    }
}
