//! The API as its callers see it: requests into the router, over a writer on a log in memory with a manual clock.

// Helpers of tests fail the test, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod accounts;
mod assignments;
mod auth;
mod bad_requests;
mod campaign_guards;
mod campaign_money;
mod campaigns;
mod contract;
mod deliverables;
mod events;
mod frame;
mod fraud;
mod history;
mod holds;
mod idempotency;
mod lists;
mod missions;
mod openapi;
mod payout_outcomes;
mod payouts;
mod people;
mod refusals;
mod reversals;
mod roles;
mod serving;
mod stage;
mod support;
mod transactions;
mod unknown_events;
mod users;
mod wallets;
mod watched;
