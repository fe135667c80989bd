//! The API over a real PostgreSQL with its read models: stories that are told through HTTP alone, and every field of
//! every answer that the read models give. People, campaigns and the comparison with the OpenAPI document are those of
//! the API's own tests.

#[path = "../../api/tests/http/contract.rs"]
mod contract;
#[allow(dead_code)] // Shared with the tests of the API, which use all of it.
#[path = "../../api/tests/http/people.rs"]
mod people;
#[allow(dead_code)] // As above.
#[path = "../../api/tests/http/stage.rs"]
mod stage;
#[path = "journey/support.rs"]
mod support;

mod journey {
    mod bad_input;
    mod campaigns;
    mod creators;
    mod docs;
    mod engagement;
    mod fraud;
    mod history;
    mod missions;
    mod payouts;
    mod users;
    mod visibility;
    mod wallets;
}
