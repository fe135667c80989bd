//! What is personal is in no byte of the log, can be read with the person's key, and is gone with it.

use crate::stage::Stage;
use crate::world::{World, id};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;
use viral_commands::privacy::VaultError;
use viral_commands::use_cases::*;
use viral_commands::{Caller, CommandError, Vault};
use viral_domain::Sealed;
use viral_domain::user::Role;
use viral_store::{MemoryStore, PersonKeys, StoreError, WrappedKey};

const MARKS: [&str; 5] = ["Marked-Name", "marked.mail", "Marked bio", "marked-link", "Later-Name"];

fn profile(name: &str) -> Profile {
    Profile {
        bio: "Marked bio, with \"quotes\" and ümlauts.".to_owned(),
        display_name: name.to_owned(),
        email: Some("Marked.Mail@example.com".to_owned()),
        links: vec!["https://marked-link.example.com".to_owned()],
    }
}

/// Registers somebody with marks all over, who then changes the name.
async fn marked(world: &World) -> (Caller, RegisterUser) {
    let register = RegisterUser {
        role: Role::Creator,
        profile: profile("Marked-Name"),
    };
    let request = world.keyed("marked", "{}");
    let registrar = Caller::system("registrar");
    let events = world.commands.run(&registrar, &request, &register).await.unwrap();
    let user = crate::world::caller(events.events()[0].event_id, Role::Creator);
    let change = ChangeProfile {
        user: id(&user),
        profile: profile("Later-Name"),
    };
    world.must(&user, &change).await;
    (user, register)
}

#[tokio::test]
async fn no_byte_of_the_log_is_personal() {
    let stage = Stage::new().await;
    let (creator, register) = marked(&stage.world).await;
    let taken = RegisterUser {
        role: Role::Sponsor,
        ..register
    };
    stage
        .world
        .refused(&Caller::system("registrar"), &taken, "login_taken")
        .await;
    let (campaign, mission) = stage.published("100", 1, "100").await;
    stage.earned(mission, &creator).await;
    stage.sent(campaign, &creator, "95").await;

    let mut bytes = 0;
    for event in stage.world.log().await {
        let texts = [&event.payload, &event.metadata, &event.stream.to_string()];
        for text in texts {
            bytes += text.len();
            for mark in MARKS {
                let found = text.to_lowercase().contains(&mark.to_lowercase());
                assert!(!found, "{mark} at position {}: {text}", event.position);
            }
        }
    }
    assert!(bytes > 10_000);
}

/// Whoever guesses a name and an address cannot check the guess against the log.
#[tokio::test]
async fn hashes_of_personal_requests_are_keyed() {
    let world = World::new().await;
    let registrar = Caller::system("registrar");
    let stored = async |name: &str, personal: bool| {
        let request = world.keyed(name, r#"{"display_name":"Marked-Name"}"#);
        let outcome = match personal {
            true => {
                let mut register = RegisterUser {
                    role: Role::Sponsor,
                    profile: profile("Marked-Name"),
                };
                register.profile.email = None;
                world.commands.run(&registrar, &request, &register).await.unwrap()
            }
            false => {
                let brief = Stage::in_world(world.clone()).await.brief("10");
                let sponsor = world.user(Role::Sponsor).await;
                world
                    .commands
                    .run(&sponsor, &request, &CreateCampaign { brief })
                    .await
                    .unwrap()
            }
        };
        let metadata = outcome.events()[0].parse_metadata().unwrap();
        (
            request.request_hash.unwrap(),
            metadata.request_hash.unwrap().into_owned(),
        )
    };
    let (plain, keyed) = stored("one", true).await;
    assert_ne!(plain, keyed);
    assert_eq!(keyed, world.commands.vault().blind("viral request hash 1", &plain));
    let (plain, kept) = stored("two", false).await;
    assert_eq!(plain, kept);
}

/// The keys of a store, but for those of one person, which were destroyed or are gone.
#[derive(Debug)]
struct Forgetful {
    keys: MemoryStore,
    person: Uuid,
    gone: bool,
}

#[async_trait]
impl PersonKeys for Forgetful {
    async fn keep_first(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        self.keys.keep_first(key).await
    }

    async fn of_persons(&self, persons: &[Uuid]) -> Result<Vec<WrappedKey>, StoreError> {
        let mut keys = self.keys.of_persons(persons).await?;
        if self.gone {
            keys.retain(|key| key.person != self.person);
        }
        for key in &mut keys {
            if key.person == self.person {
                key.wrapped = None;
            }
        }
        Ok(keys)
    }

    async fn any(&self) -> Result<Option<WrappedKey>, StoreError> {
        self.keys.any().await
    }
}

async fn sealed(world: &World, user: &Caller) -> Sealed {
    world.audit().await.users[&id(user)].profile.clone().unwrap()
}

#[tokio::test]
async fn a_profile_is_opened_with_its_key_and_gone_without_it() {
    let world = World::new().await;
    let (user, register) = marked(&world).await;
    let other = world.user(Role::Creator).await;
    let sealed = [sealed(&world, &user).await, sealed(&world, &other).await];
    let opened = world.commands.vault().open(&sealed).await.unwrap();
    let read: Profile = serde_json::from_str(opened[0].as_ref().unwrap()).unwrap();
    assert_eq!(read, profile("Later-Name"));
    assert!(opened[1].is_some());

    for gone in [false, true] {
        let keys = Forgetful {
            keys: world.store.clone(),
            person: id(&user).0,
            gone,
        };
        let vault = Vault::new(Arc::new(keys), &[42; 32]);
        let opened = vault.open(&sealed).await.unwrap();
        assert!(opened[0].is_none() && opened[1].is_some());
        if gone {
            continue;
        }
        // Nothing is sealed for the person any more, but what happened before is answered as before.
        let erased = world.with_vault(vault);
        let change = ChangeProfile {
            user: id(&user),
            profile: profile("Later-Name"),
        };
        let error = erased.run(&user, &change).await.unwrap_err();
        assert_eq!(error, CommandError::Vault(VaultError::Erased(id(&user).0)));
        let request = erased.keyed("marked", "{}");
        let registrar = Caller::system("registrar");
        let again = erased.commands.run(&registrar, &request, &register).await.unwrap();
        assert!(again.is_duplicate());
    }
}
