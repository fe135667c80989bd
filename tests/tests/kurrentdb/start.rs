//! Beginning a log, and opening one.

use super::support::{LOG, hasty, refusal, store, with_history};
use std::sync::Arc;
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{EventStore as _, StoreError};
use viral_tests::kurrentdb::{Append, Fake};

#[tokio::test]
async fn of_two_who_begin_a_log_one_does() {
    let fake = Arc::new(Fake::start().await);
    // Both have seen that there is none.
    fake.on_appends([Append::Held, Append::Held]);
    let begin = || {
        let url = fake.url();
        tokio::spawn(async move { KurrentStore::open_or_create(&url, Options::default()).await.unwrap() })
    };
    let both = [begin(), begin()];
    fake.held(2).await;
    fake.release();
    let mut sources = Vec::new();
    for one in both {
        sources.push(one.await.unwrap().source().to_owned());
    }
    assert_eq!(sources[0], sources[1]);
    assert_eq!(fake.len(LOG), 1);
}

#[tokio::test]
async fn where_there_is_no_log_none_is_opened() {
    let fake = Fake::start().await;
    let error = refusal(&fake).await;
    assert!(
        matches!(error, StoreError::Setup(_)) && error.to_string().contains("viral migrate"),
        "{error}"
    );
    assert_eq!(fake.records(LOG), []);
    let created = store(&fake).await;
    let opened = KurrentStore::open(&fake.url(), Options::default()).await.unwrap();
    assert_eq!((created.source(), created.log_id()), (opened.source(), opened.log_id()));
}

#[tokio::test]
async fn a_log_of_a_later_format_is_left_alone() {
    let fake = with_history().await;
    fake.change(LOG, |records| {
        let text = String::from_utf8(records[0].data.clone()).unwrap();
        records[0].data = text.replace("\"format\":1", "\"format\":2").into_bytes();
    });
    let error = refusal(&fake).await;
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[tokio::test]
async fn the_password_must_be_right_and_is_never_told() {
    let fake = Fake::with_password().await;
    let store = store(&fake).await;
    assert!(!format!("{store:?}").contains("secret"));
    let url = fake.url().replace("secret", "s3cr3t");
    let error = KurrentStore::open(&url, hasty()).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied(_)), "{error}");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_so() {
    let fake = Fake::start().await;
    fake.shut().await;
    let error = refusal(&fake).await;
    assert!(
        matches!(error, StoreError::Unavailable(_)) && error.to_string().contains("EVENT_STORE"),
        "{error}"
    );
}

#[tokio::test]
async fn one_server_may_have_several_logs() {
    let fake = Fake::start().await;
    let urls = ["one-", "two-"].map(|prefix| format!("{}&streamPrefix={prefix}", fake.url()));
    let mut sources = Vec::new();
    for url in &urls {
        let store = KurrentStore::open_or_create(url, Options::default()).await.unwrap();
        sources.push(store.source().to_owned());
    }
    assert_ne!(sources[0], sources[1]);
    assert_eq!((fake.len("one-viral-log"), fake.len("two-viral-log")), (1, 1));
}
