//! A book and its model, side by side through one history.

use crate::dice::Dice;
use crate::generator::Generator;
use crate::model::{Model, REFUSALS, RULES_OF_INPUT, Wrong, decimal};
use crate::schema::Schemas;
use crate::tally::Tally;
use chrono::{DateTime, TimeZone, Utc};
use uuid::Uuid;
use viral_ledger::transaction::Transaction;
use viral_ledger::{Address, Amount, Asset, Book, BookEvent, Code, Command, NewTransaction, Refusal, TrialBalance};

/// One command with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: Uuid,
    pub(crate) now: DateTime<Utc>,
    pub(crate) command: Command,
    pub(crate) answer: Result<BookEvent, Refusal>,
}

/// What all histories of a run share.
pub(crate) struct Run {
    pub(crate) schemas: Schemas,
    pub(crate) tally: Tally,
    /// Whether to print every command: when a shrunk failure is told to people.
    pub(crate) aloud: bool,
}

impl Run {
    pub(crate) fn new() -> Run {
        Run {
            schemas: Schemas::load(),
            tally: Tally::default(),
            aloud: false,
        }
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) book: Book,
    pub(crate) model: Model,
    pub(crate) generator: Generator,
    pub(crate) asked: Vec<Asked>,
    pub(crate) now: DateTime<Utc>,
}

impl World {
    pub(crate) fn new(generator: Generator) -> World {
        World {
            book: Book::new(),
            model: Model::default(),
            generator,
            asked: Vec::new(),
            now: Utc.with_ymd_and_hms(2026, 1, 15, 9, 0, 0).unwrap(),
        }
    }

    /// The events so far, with the times at which they were recorded.
    pub(crate) fn events(&self) -> impl Iterator<Item = (DateTime<Utc>, &BookEvent)> {
        let events = self.asked.iter().map(|asked| (asked.now, asked.answer.as_ref()));
        events.filter_map(|(now, answer)| Some((now, answer.ok()?)))
    }

    /// Asks for something and checks the answer and what it leaves.
    pub(crate) fn step(&mut self, run: &mut Run, seed: u64) {
        let mut dice = Dice::new(seed);
        self.now = self.generator.later(&mut dice, &self.model, self.now);
        let command = self.generator.command(&mut dice, &self.model, self.now);
        // Ids are unique in a history and in no order; different prefixes never share one.
        let salt = u64::try_from(self.generator.prefix.len()).unwrap();
        let mut ids = Dice::new(u64::try_from(self.asked.len()).unwrap() << 8 | salt);
        let id = Uuid::from_u64_pair(ids.next(), ids.next());
        if run.aloud {
            eprintln!("{} {id} {command:?}", self.now);
        }

        let wrong = self.model.wrong(self.now, &command);
        let expected = REFUSALS.iter().find(|code| wrong.contains(**code));
        let answer = self.book.decide(id, self.now, &command);
        assert_eq!(
            answer.as_ref().err().map(Refusal::code),
            expected.copied(),
            "the model finds {wrong:?} wrong with {command:?}, the book says {answer:?}"
        );
        run.tally.count(&command, answer.as_ref());
        match &answer {
            Ok(event) => self.accepted(run, &mut dice, id, &command, event),
            Err(_) if dice.percent(25) => self.forged(run, id, &command, &wrong),
            Err(_) => {}
        }
        let now = self.now;
        self.asked.push(Asked {
            id,
            now,
            command,
            answer,
        });
    }

    fn accepted(&mut self, run: &mut Run, dice: &mut Dice, id: Uuid, command: &Command, event: &BookEvent) {
        check_json(run, dice, event);
        let before = dice.percent(10).then(|| self.book.clone());
        self.model.apply(id, command);
        self.book
            .evolve(self.now, event)
            .unwrap_or_else(|e| panic!("{event:?} was decided but refused: {e}"));
        self.compare();
        if let Command::Capture { hold, .. } | Command::VoidHold { hold, .. } | Command::ExpireHold { hold } = command {
            self.resolved_once(*hold, event);
        }
        if let (Some(before), BookEvent::TransactionPosted(posted)) = (before, event) {
            self.reversible(run, id, &before, posted);
        }
    }

    /// The book equals the model, and both are sound.
    fn compare(&self) {
        let mut sums: Vec<(Asset, i128)> = Vec::new();
        assert_eq!(self.book.account_count(), self.model.accounts.len());
        for ((address, account), (model_address, model)) in self.book.accounts().zip(&self.model.accounts) {
            assert_eq!(address, model_address);
            assert_eq!(account.debits.minor(), model.debits, "debits of {address}");
            assert_eq!(account.credits.minor(), model.credits, "credits of {address}");
            assert_eq!(account.held.minor(), self.model.held(address), "held of {address}");
            assert_eq!(account.balance(), model.balance());
            assert_eq!(account.available(), self.model.available(address));
            let flags = account.flags;
            assert_eq!(
                (flags.may_go_negative, flags.frozen, flags.closed),
                (model.may_go_negative, model.frozen, model.closed),
                "flags of {address}"
            );
            assert!(
                flags.may_go_negative || account.available() >= 0,
                "{address} is below zero"
            );
            assert!(!flags.closed || (account.balance() == 0 && account.held == Amount::ZERO));
            let difference = account.debits.minor() - account.credits.minor();
            match sums.iter_mut().find(|(asset, _)| *asset == account.asset) {
                Some((_, sum)) => *sum += difference,
                None => sums.push((account.asset, difference)),
            }
        }
        assert!(
            sums.iter().all(|(_, sum)| *sum == 0),
            "debits are not credits: {sums:?}"
        );
        let holds = self
            .book
            .holds()
            .iter()
            .map(|(id, h)| (id, &h.account, h.amount.minor(), h.expires_at));
        let of_model = self
            .model
            .holds
            .iter()
            .map(|(id, h)| (id, &h.account, h.amount, h.expires_at));
        assert!(holds.eq(of_model), "the open holds differ");
        assert_eq!(self.book.closed_through(), self.model.closed_through);
    }

    /// Nothing resolves a hold again, neither a command nor the same event.
    fn resolved_once(&self, hold: Uuid, event: &BookEvent) {
        let transaction = NewTransaction {
            code: Code::CAPTURE,
            description: None,
            effective_at: None,
            metadata: Default::default(),
            postings: match event {
                BookEvent::TransactionPosted(posted) => posted.postings.clone(),
                _ => Vec::new(),
            },
            reference: None,
        };
        let mut again = vec![Command::VoidHold { hold, reason: None }, Command::ExpireHold { hold }];
        if !transaction.postings.is_empty() {
            again.push(Command::Capture { hold, transaction });
        }
        for command in again {
            let answer = self.book.decide(Uuid::nil(), self.now, &command);
            assert_eq!(answer, Err(Refusal::UnknownHold(hold)));
        }
        self.refuses(event);
    }

    /// Reversing at once restores the balances, and rolling that back restores everything.
    fn reversible(&mut self, run: &mut Run, id: Uuid, before: &Book, posted: &Transaction) {
        let command = Command::Reverse {
            original: id,
            postings: posted.postings.clone(),
            is_reversal: false,
            reason: None,
        };
        let reversal = match self.book.decide(Uuid::nil(), self.now, &command) {
            Ok(reversal) => reversal,
            // Balances can always be restored, only totals may be full.
            Err(Refusal::Overflow(_)) => return,
            Err(refusal) => panic!("{posted:?} cannot be reversed: {refusal}"),
        };
        let after = self.book.clone();
        let savepoint = self.book.savepoint();
        self.book.evolve(self.now, &reversal).unwrap();
        for ((address, account), (_, original)) in self.book.accounts().zip(before.accounts()) {
            assert_eq!(account.balance(), original.balance(), "balance of {address}");
            if posted.captures.is_none() {
                assert_eq!(account.held, original.held, "held of {address}");
            }
        }
        self.book.rollback(savepoint);
        assert_eq!(self.book, after);
        run.tally.checked("reversal at once");
    }

    /// A refused command that someone writes into the log all the same is refused there too if money or order do not allow
    /// it. If only rules of input are in its way, another version may have had others: it is taken, and the book is sound.
    fn forged(&self, run: &mut Run, id: Uuid, command: &Command, wrong: &Wrong) {
        let event = self.book.carry_out(id, self.now, command);
        if !wrong.iter().all(|code| RULES_OF_INPUT.contains(code)) {
            self.refuses(&event);
            run.tally.checked("forged event");
            return;
        }
        let mut book = self.book.clone();
        book.evolve(self.now, &event)
            .unwrap_or_else(|e| panic!("{event:?} breaks rules of input only: {e}"));
        let read = Book::from_state_text(&book.state_text(), book.sequence()).expect("a sound book");
        assert_same(&read, &book);
        run.tally.checked("event of other rules");
    }

    fn refuses(&self, event: &BookEvent) {
        let mut book = self.book.clone();
        let answer = book.evolve(self.now, event);
        assert!(answer.is_err(), "{event:?} was applied");
        assert_eq!(book, self.book);
    }

    /// The state as text says what the model says, and gives the same book again.
    pub(crate) fn check_text(&self) {
        let text = self.book.state_text();
        assert_eq!(text, self.model.state_text());
        assert_eq!(self.book.state_hash(), Book::hash_of_text(&text));
        let read = Book::from_state_text(&text, self.book.sequence()).unwrap();
        assert_same(&read, &self.book);
        let balance = TrialBalance::of(&self.book, 7);
        assert_eq!(balance.position, "7");
        for (row, (address, model)) in balance.accounts.iter().zip(&self.model.accounts) {
            let text = |minor| decimal(minor, model.asset.scale());
            let expected = (address, text(model.debits), text(model.credits), text(model.balance()));
            assert_eq!(
                (
                    &row.address,
                    row.debits.clone(),
                    row.credits.clone(),
                    row.balance.clone()
                ),
                expected
            );
        }
    }
}

/// The books are equal, also in the order of their accounts and in their hashes.
pub(crate) fn assert_same(a: &Book, b: &Book) {
    assert_eq!(a, b);
    let page = |book: &Book, after: Option<&Address>| {
        let accounts = book.accounts_after(after.map(Address::as_str)).take(3);
        accounts.map(|(address, _)| address.clone()).collect::<Vec<_>>()
    };
    let mut after = None;
    loop {
        let (left, right) = (page(a, after.as_ref()), page(b, after.as_ref()));
        assert_eq!(left, right);
        match left.last() {
            Some(last) => after = Some(last.clone()),
            None => break,
        }
    }
    assert_eq!(a.state_text(), b.state_text());
}

fn check_json(run: &mut Run, dice: &mut Dice, event: &BookEvent) {
    let text = serde_json::to_string(event).unwrap();
    let tag = format!("{{\"type\":\"{}\",", event.event_type());
    assert!(text.starts_with(&tag), "{text}");
    let read: BookEvent = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(read, *event, "{text}");
    if dice.percent(8) {
        // As the log keeps it: keys sorted, the tag somewhere in between.
        let value = serde_json::to_value(event).unwrap();
        run.schemas.check(event, &value);
        let sorted: BookEvent = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(sorted, *event);
        let from_value: BookEvent = serde_json::from_value(value).unwrap();
        assert_eq!(from_value, *event);
        run.tally.checked("JSON against its schema");
    }
}
