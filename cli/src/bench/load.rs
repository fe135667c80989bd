//! The load: callers that each post one transfer after the other through a writer.

use super::figures::Latencies;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;
use viral_commands::{AppendError, Unit, Writer};
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting};

/// Which accounts the transfers go between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accounts {
    /// All debit the same account.
    Hot,
    /// Both accounts are drawn at random out of [`RANDOM_ACCOUNTS`].
    Random,
}

impl Accounts {
    /// The word for it in a report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Accounts::Hot => "hot",
            Accounts::Random => "random",
        }
    }
}

/// How many accounts there are to draw from.
pub(super) const RANDOM_ACCOUNTS: u64 = 10_000;

/// What a load showed.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// Transfers that were acknowledged.
    pub(super) transfers: u64,
    /// How long it took.
    pub(super) seconds: f64,
    /// Events in a transaction of the store, on average.
    pub(super) mean_batch: f64,
    /// From the call to the answer.
    pub(super) latencies: Latencies,
}

impl Load {
    /// Acknowledged transfers per second.
    pub(super) fn per_second(&self) -> f64 {
        self.transfers as f64 / self.seconds
    }
}

/// Opens the accounts of the load, if they are not there.
pub(super) async fn open_accounts(writer: &Writer) -> Result<(), AppendError> {
    let addresses = (0..RANDOM_ACCOUNTS)
        .map(|n| format!("bench:{n}"))
        .chain(["bench:hot".to_owned()]);
    let units: Vec<Unit> = addresses
        .map(|address| {
            let id = viral_ledger::ids::derived("bench account", &[address.as_bytes()]);
            let account = address_of(&address);
            Unit::ledger(
                id,
                Command::OpenAccount {
                    account,
                    asset: Asset::VCOIN,
                    normal_side: NormalSide::Credit,
                    may_go_negative: true,
                },
            )
        })
        .collect();
    for chunk in units.chunks(1_000) {
        for outcome in writer.append_all(chunk.to_vec()).await {
            outcome?;
        }
    }
    Ok(())
}

/// Runs `callers` at once for `duration`.
pub(super) async fn run(
    writer: &Writer,
    accounts: Accounts,
    callers: u64,
    duration: Duration,
) -> Result<Load, AppendError> {
    let before = writer.appended();
    let transfers = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (writer, transfers) = (writer.clone(), transfers.clone());
            tokio::spawn(async move {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (caller + 1));
                let mut latencies = Latencies::default();
                while start.elapsed() < duration {
                    let unit = transfer(accounts, &mut random);
                    let called = Instant::now();
                    writer.append(unit).await?;
                    latencies.add(called.elapsed());
                    transfers.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, AppendError>(latencies)
            })
        })
        .collect();
    let mut latencies = Latencies::default();
    for task in tasks {
        latencies.merge(task.await.map_err(|_| AppendError::Stopped)??);
    }
    let seconds = start.elapsed().as_secs_f64();
    let after = writer.appended();
    Ok(Load {
        transfers: transfers.load(Ordering::Relaxed),
        seconds,
        mean_batch: (after.events - before.events) as f64 / (after.batches - before.batches).max(1) as f64,
        latencies,
    })
}

/// A transfer that nobody has posted yet.
pub(super) fn transfer(accounts: Accounts, random: &mut Random) -> Unit {
    let [credit, other] = two(random);
    let debit = match accounts {
        Accounts::Hot => "bench:hot".to_owned(),
        Accounts::Random => other,
    };
    let transaction = NewTransaction {
        code: Code::TRANSFER,
        description: None,
        effective_at: None,
        metadata: Default::default(),
        postings: vec![Posting {
            debit: address_of(&debit),
            credit: address_of(&credit),
            amount: Amount::from_minor(10_000).unwrap_or(Amount::ZERO),
            asset: Asset::VCOIN,
        }],
        reference: None,
    };
    Unit::ledger(Uuid::now_v7(), Command::Post(transaction)).with_actor("bench")
}

/// A transfer between random accounts, as the API takes it.
pub(super) fn body(random: &mut Random) -> Value {
    let [credit, debit] = two(random);
    json!({"postings": [{"debit": debit, "credit": credit, "amount": "1", "asset": "VCOIN"}]})
}

/// Two different accounts.
fn two(random: &mut Random) -> [String; 2] {
    let one = random.below(RANDOM_ACCOUNTS);
    let other = (one + 1 + random.below(RANDOM_ACCOUNTS - 1)) % RANDOM_ACCOUNTS;
    [one, other].map(|number| format!("bench:{number}"))
}

fn address_of(text: &str) -> Address {
    // Every address here is made of letters, digits and colons.
    #[allow(clippy::expect_used)]
    Address::parse(text).expect("a sound address")
}

/// A small fast generator (xorshift64*): the load must cost little beside what is measured.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}
