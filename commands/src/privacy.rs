//! Sealing of personal fields, before they enter an event.
//!
//! Each person has a data key of 256 random bits. It seals with AES-256-GCM (NIST SP 800-38D) under a fresh random
//! nonce, with the person's id as additional data, so that a ciphertext cannot be passed off as another person's. The
//! key itself is kept beside the log, wrapped in the same way under a key that derives from the master key, which only
//! the running platform has. Whoever destroys a person's key has erased what it sealed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;
use viral_domain::Sealed;
use viral_store::{PersonKeys, StoreError, WrappedKey};

/// The length of all keys, in bytes.
const KEY_LENGTH: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VaultError {
    /// The keys cannot be reached.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The person's key was destroyed: nothing can be sealed for them any more.
    #[error("the key of person {0} was destroyed")]
    Erased(Uuid),
    /// A key or a sealed text is damaged, or belongs to another master key.
    #[error("what was sealed for person {0} cannot be opened with this master key")]
    Damaged(Uuid),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// Seals and opens personal fields.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn PersonKeys>,
    random: Arc<SystemRandom>,
    wrapping: Arc<LessSafeKey>,
    master: Arc<hmac::Key>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault over keys that were wrapped under this master key of 32 bytes.
    pub fn new(keys: Arc<dyn PersonKeys>, master_key: &[u8; KEY_LENGTH]) -> Vault {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master_key);
        let wrapping = derive(&master, "viral person keys 1");
        Vault {
            keys,
            random: Arc::new(SystemRandom::new()),
            wrapping: Arc::new(aead(&wrapping)),
            master: Arc::new(master),
        }
    }

    /// Whether the master key is the one that the kept keys were wrapped under. With another one, what was sealed before
    /// would be lost, and what is sealed from now on could not be opened with the right one.
    pub async fn check(&self) -> Result<(), VaultError> {
        if let Some(kept) = self.keys.any().await? {
            self.open_key(&kept)?;
        }
        Ok(())
    }

    /// A secret of 32 bytes for one purpose, which says nothing about the master key or other secrets.
    pub fn secret(&self, purpose: &str) -> [u8; KEY_LENGTH] {
        derive(&self.master, purpose)
    }

    /// A name that can be looked up but not read back: the HMAC-SHA-256 of a text, in hexadecimal.
    pub fn blind(&self, purpose: &str, text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret(purpose));
        hex::encode(hmac::sign(&key, text.as_bytes()))
    }

    /// Seals a text under the person's key, which is made if this is the first time.
    pub async fn seal(&self, person: Uuid, text: &str) -> Result<Sealed, VaultError> {
        let kept = match self.keys.of_persons(&[person]).await?.pop() {
            Some(kept) => kept,
            None => self.keys.keep_first(self.new_key(person)?).await?,
        };
        let key = self.open_key(&kept)?.ok_or(VaultError::Erased(person))?;
        let nonce = self.nonce()?;
        let mut bytes = text.as_bytes().to_vec();
        let aad = Aad::from(person.into_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .map_err(|_| VaultError::Damaged(person))?;
        Ok(Sealed {
            ct: URL_SAFE_NO_PAD.encode(bytes),
            key: kept.key,
            nonce: URL_SAFE_NO_PAD.encode(nonce),
            person,
        })
    }

    /// Opens sealed texts, in their order; nothing for those whose key was destroyed.
    pub async fn open(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, VaultError> {
        let mut persons: Vec<Uuid> = sealed.iter().map(|sealed| sealed.person).collect();
        persons.sort_unstable();
        persons.dedup();
        let mut keys = HashMap::new();
        for kept in self.keys.of_persons(&persons).await? {
            keys.insert(kept.key, self.open_key(&kept)?);
        }
        sealed
            .iter()
            .map(|sealed| match keys.get(&sealed.key) {
                // A key that is gone altogether is as good as destroyed.
                None | Some(None) => Ok(None),
                Some(Some(key)) => open(key, sealed).map(Some),
            })
            .collect()
    }

    fn nonce(&self) -> Result<[u8; NONCE_LEN], VaultError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        Ok(nonce)
    }

    fn new_key(&self, person: Uuid) -> Result<WrappedKey, VaultError> {
        let mut bytes = [0; KEY_LENGTH];
        self.random.fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
        let (key, nonce) = (Uuid::now_v7(), self.nonce()?);
        let mut wrapped = bytes.to_vec();
        self.wrapping
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), key_aad(person, key), &mut wrapped)
            .map_err(|_| VaultError::Damaged(person))?;
        let wrapped = Some([nonce.as_slice(), &wrapped].concat());
        Ok(WrappedKey { person, key, wrapped })
    }

    /// Unwraps a key; nothing if it was destroyed.
    fn open_key(&self, kept: &WrappedKey) -> Result<Option<LessSafeKey>, VaultError> {
        let damaged = VaultError::Damaged(kept.person);
        let Some(wrapped) = &kept.wrapped else { return Ok(None) };
        let (nonce, bytes) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(damaged.clone())?;
        let mut bytes = bytes.to_vec();
        let aad = key_aad(kept.person, kept.key);
        let plain = self
            .wrapping
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut bytes)
            .map_err(|_| damaged.clone())?;
        let plain: &[u8; KEY_LENGTH] = (&*plain).try_into().map_err(|_| damaged)?;
        Ok(Some(aead(plain)))
    }
}

fn open(key: &LessSafeKey, sealed: &Sealed) -> Result<String, VaultError> {
    let damaged = || VaultError::Damaged(sealed.person);
    let nonce = URL_SAFE_NO_PAD.decode(&sealed.nonce).map_err(|_| damaged())?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| damaged())?;
    let mut bytes = URL_SAFE_NO_PAD.decode(&sealed.ct).map_err(|_| damaged())?;
    let aad = Aad::from(sealed.person.into_bytes());
    let plain = key.open_in_place(nonce, aad, &mut bytes).map_err(|_| damaged())?;
    String::from_utf8(plain.to_vec()).map_err(|_| damaged())
}

fn key_aad(person: Uuid, key: Uuid) -> Aad<Vec<u8>> {
    Aad::from([person.into_bytes(), key.into_bytes()].concat())
}

/// HMAC-SHA-256 of a purpose: one independent key for each.
fn derive(master: &hmac::Key, purpose: &str) -> [u8; KEY_LENGTH] {
    let mut key = [0; KEY_LENGTH];
    key.copy_from_slice(hmac::sign(master, purpose.as_bytes()).as_ref());
    key
}

#[allow(clippy::expect_used)]
fn aead(key: &[u8; KEY_LENGTH]) -> LessSafeKey {
    // The only error is a key of another length.
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use viral_store::MemoryStore;

    fn vault(store: &MemoryStore, master: u8) -> Vault {
        Vault::new(Arc::new(store.clone()), &[master; KEY_LENGTH])
    }

    #[tokio::test]
    async fn what_is_sealed_is_opened_by_the_same_master_key_only() {
        let store = MemoryStore::new(Uuid::nil());
        let (person, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault(&store, 1).seal(person, "a name").await.unwrap();
        assert!(!sealed.ct.contains("name"));
        let texts = vault(&store, 1).open(std::slice::from_ref(&sealed)).await.unwrap();
        assert_eq!(texts, [Some("a name".to_owned())]);

        assert_eq!(vault(&store, 1).check().await, Ok(()));
        assert_eq!(vault(&store, 2).check().await, Err(VaultError::Damaged(person)));
        let error = vault(&store, 2).open(std::slice::from_ref(&sealed)).await.unwrap_err();
        assert_eq!(error, VaultError::Damaged(person));
        vault(&store, 1).seal(other, "b").await.unwrap();
        let moved = Sealed {
            person: other,
            ..sealed.clone()
        };
        // The key is looked up by its person, so it is not even found for another one.
        assert_eq!(vault(&store, 1).open(&[moved]).await.unwrap(), [None]);
        let mut changed = sealed;
        changed
            .ct
            .replace_range(0..1, if changed.ct.starts_with('A') { "B" } else { "A" });
        assert!(vault(&store, 1).open(&[changed]).await.is_err());
    }

    #[tokio::test]
    async fn two_seals_differ_and_share_the_persons_key() {
        let store = MemoryStore::new(Uuid::nil());
        let vault = vault(&store, 1);
        let first = vault.seal(Uuid::from_u128(1), "x").await.unwrap();
        let second = vault.seal(Uuid::from_u128(1), "x").await.unwrap();
        assert_eq!(first.key, second.key);
        assert_ne!(first.ct, second.ct);
        assert_eq!(vault.blind("login", "a@b"), vault.blind("login", "a@b"));
        assert_ne!(vault.blind("login", "a@b"), vault.blind("other", "a@b"));
    }
}
