//! One suite for every home of the log: whatever adapter is below, the writer keeps the same promises.

mod conformance {
    pub mod clock;
    pub mod cuts;
    pub mod ledger;
    pub mod log;
    pub mod postgres;
    pub mod set_up;
    pub mod units;
    pub mod went_back;
    pub mod writers;
}

/// Runs a test on each adapter: in memory, on PostgreSQL, on a fake of KurrentDB, and on a server of KurrentDB where
/// `KURRENTDB_URL` names one.
macro_rules! on_every_store {
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod memory {
            use std::sync::Arc;
            $(#[tokio::test]
            async fn $name() {
                let store = viral_store::MemoryStore::new(uuid::Uuid::now_v7());
                super::conformance::$module::$name(Arc::new(store)).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let server = viral_tests::server::TestServer::shared().await;
                let store = server.database().await.store().await;
                super::conformance::$module::$name(store).await;
            })*
        }
        mod kurrentdb {
            use std::sync::Arc;
            $(#[tokio::test]
            async fn $name() {
                let fake = viral_tests::kurrentdb::Fake::start().await;
                let store = viral_tests::kurrentdb::new_log(&fake.url()).await;
                super::conformance::$module::$name(Arc::new(store)).await;
            })*
        }
        mod kurrentdb_server {
            use std::sync::Arc;
            $(#[tokio::test]
            async fn $name() {
                match viral_tests::kurrentdb::server() {
                    Some(url) => {
                        let store = viral_tests::kurrentdb::new_log(&url).await;
                        super::conformance::$module::$name(Arc::new(store)).await;
                    }
                    None => println!("NOT RUN: KURRENTDB_URL names no server"),
                }
            })*
        }
    };
}

on_every_store! {
    log::an_empty_log_has_no_events,
    log::events_are_read_in_pages_streams_and_by_id,
    log::waiting_ends_with_an_append_or_the_timeout,
    log::a_lock_that_is_dropped_writes_nothing,
    log::an_append_that_would_leave_a_gap_is_refused,
    log::a_selection_is_in_order_and_has_nothing_twice,
    log::snapshots_are_found_by_position,
    units::several_streams_are_appended_as_one,
    units::a_stream_that_moved_is_a_conflict,
    units::a_guard_that_moved_is_a_conflict,
    units::the_same_unit_is_appended_once,
    units::another_request_with_the_same_id_is_refused,
    units::duplicates_are_found_within_one_batch,
    units::an_empty_unit_is_refused,
    units::an_event_that_is_too_large_is_refused,
    units::a_derived_id_happens_once,
    units::times_never_go_back,
    units::streams_of_the_book_take_ledger_commands_only,
    units::names_and_ids_that_no_store_could_keep_are_refused,
    ledger::a_refused_command_undoes_the_whole_unit,
    ledger::events_and_ledger_commands_are_one_unit,
    ledger::two_writers_see_each_other,
    ledger::a_writer_starts_from_the_snapshot_and_the_tail,
    ledger::a_snapshot_that_does_not_hold_is_not_used,
    ledger::reads_see_one_position,
}
