//! Remembers everything that was asked in a story, so that all of it can be asked again.

use crate::world::{World, code_of};
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;
use viral_commands::{Caller, CommandError, Outcome, UseCase};
use viral_store::StoredEvent;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>> + 'a>>;

/// A request of whatever use case.
trait Ask {
    fn ask<'a>(&'a self, world: &'a World, body: &'a str) -> Answer<'a>;
}

struct Asked<U> {
    who: Caller,
    key: String,
    case: U,
}

impl<U: UseCase> Ask for Asked<U> {
    fn ask<'a>(&'a self, world: &'a World, body: &'a str) -> Answer<'a> {
        let request = world.keyed(&self.key, body);
        Box::pin(async move { world.commands.run(&self.who, &request, &self.case).await })
    }
}

/// What was asked, and what was appended for it.
#[derive(Default)]
pub(crate) struct Diary {
    pages: Vec<(&'static str, Box<dyn Ask>, Vec<StoredEvent>)>,
}

impl Diary {
    /// Asks for something that must be carried out, and at once for the same again. Answers the unit's id.
    pub(crate) async fn write(&mut self, world: &World, who: &Caller, case: impl UseCase + 'static) -> Uuid {
        let name = short_name(std::any::type_name_of_val(&case));
        let asked = Asked {
            who: who.clone(),
            key: world.fresh("diary"),
            case,
        };
        let first = asked.ask(world, "{}").await.unwrap();
        assert!(!first.is_duplicate(), "{name}");
        let events = first.events().to_vec();
        let id = events[0].event_id;
        self.pages.push((name, Box::new(asked), events));
        self.repeat_page(world, self.pages.len() - 1).await;
        id
    }

    /// Asks for everything again, in order: each gets its own events once more, and nothing happens.
    pub(crate) async fn repeat(&self, world: &World) {
        for page in 0..self.pages.len() {
            self.repeat_page(world, page).await;
        }
    }

    async fn repeat_page(&self, world: &World, page: usize) {
        let (name, asked, events) = &self.pages[page];
        let before = world.head().await;
        let again = asked
            .ask(world, "{}")
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again, Outcome::Duplicate(events.clone()), "{name}");
        let other = asked.ask(world, r#"{"other":true}"#).await.expect_err(name);
        assert_eq!(code_of(&other), "key_reused", "{name}");
        assert_eq!(world.head().await, before, "{name}");
    }

    /// The names of the use cases in it, each once.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.pages.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn short_name(path: &'static str) -> &'static str {
    path.rsplit("::").next().unwrap_or(path)
}
