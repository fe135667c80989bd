//! The race itself: many clients, each with a connection of its own that is kept, all in one campaign.

use super::calls::Part;
use super::chance::Chance;
use super::client::{Done, Person};
use super::people::Stage;
use crate::process::Api;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many clients there are.
pub const CLIENTS: usize = 64;

/// When a client has done enough.
#[derive(Debug, Clone)]
pub enum Until {
    /// After so many calls.
    Calls(u32),
    /// When it is told to, at the latest after so many calls.
    Told(Arc<AtomicBool>, u32),
}

/// Clients, by the platforms that they call: client number `n` calls platform number `n` modulo their count.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// The platforms.
    pub apis: Vec<Api>,
    /// What chooses.
    pub seed: u64,
    /// Whether a call that was not answered is sent again. Otherwise every call must be answered.
    pub insist: bool,
    /// When they stop.
    pub until: Until,
}

impl Crowd {
    /// Lets all of them loose on a campaign at once; answers everything that was answered.
    pub async fn race(&self, stage: &Arc<Stage>) -> Vec<Done> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (crowd, stage) = (self.clone(), stage.clone());
                tokio::spawn(async move { crowd.client(n, &stage).await })
            })
            .collect();
        let mut done = Vec::new();
        for client in clients {
            done.extend(client.await.unwrap());
        }
        done
    }

    async fn client(&self, n: usize, stage: &Stage) -> Vec<Done> {
        let part = Part::of(n, stage.creators.len());
        let person = match part {
            Part::Sponsor => &stage.sponsor,
            Part::Operator => &stage.operator,
            Part::Creator(creator) => &stage.creators[creator],
        };
        let (api, mut chance) = (&self.apis[n % self.apis.len()], Chance::new(self.seed, n as u64));
        let (most, told) = match &self.until {
            Until::Calls(most) => (*most, None),
            Until::Told(told, most) => (*most, Some(told)),
        };
        let mut done: Vec<Done> = Vec::new();
        for turn in 0..most {
            if told.is_some_and(|told| told.load(Ordering::Relaxed)) {
                break;
            }
            let call = stage.next(part, &mut chance, told.is_none() && turn * 4 >= most * 3);
            let answered = match chance.percent(5) {
                true => self.twice(person, api, &call).await,
                false => self.once(person, api, &call).await,
            };
            if answered.answer.status.is_success() {
                stage.learn(part, &answered.call, &answered.answer.body);
            }
            done.push(answered);
            if chance.percent(5) {
                self.again(person, api, chance.one(&done)).await;
            }
        }
        done
    }

    async fn once(&self, person: &Person, api: &Api, call: &crate::process::Call) -> Done {
        match self.insist {
            true => person.insist(api, call).await,
            false => person.call(api, call).await,
        }
    }

    /// The same call over two connections at once, as an impatient client makes it: it is done once.
    async fn twice(&self, person: &Person, api: &Api, call: &crate::process::Call) -> Done {
        let other = self.apis.last().unwrap_or(api);
        let (one, two) = tokio::join!(self.once(person, api, call), self.once(person, other, call));
        if !(one.wrote() && two.wrote()) {
            // Refused by turns: what was refused may be possible a moment later.
            return if one.wrote() { one } else { two };
        }
        assert_eq!(one.answer.text, two.answer.text, "{call:?} was answered in two ways");
        assert!(one.answer.replayed || two.answer.replayed, "{call:?} was done twice");
        if one.answer.replayed { two } else { one }
    }

    /// What was done some time ago is asked for again.
    async fn again(&self, person: &Person, api: &Api, earlier: Option<&Done>) {
        let Some(earlier) = earlier.filter(|done| done.wrote()) else {
            return;
        };
        let again = self.once(person, api, &earlier.call).await;
        assert!(again.answer.replayed, "{earlier:?} was done again: {again:?}");
        assert_eq!(
            (again.answer.status, &again.answer.text),
            (earlier.answer.status, &earlier.answer.text),
            "{earlier:?}"
        );
    }
}
