//! Aggregates are loaded one after the other. What another process does in between must not make a refusal of a state that
//! never was.

use crate::stage::{Stage, rejection, submission};
use crate::world::id;
use viral_domain::Aggregate as _;
use viral_domain::assignment::Assignment;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, Terms};
use viral_store::StreamId;

/// The campaign is loaded while the work has its place; then it is rejected, which frees the place; then the assignment is
/// loaded, which asks for a place anew. At no moment did it have one and need one.
#[tokio::test]
async fn a_refusal_that_no_moment_justifies_is_decided_anew() {
    let stage = Stage::new().await;
    stage.buys("100.00").await;
    let (_, mission) = stage.published("100", 1, "500").await;
    let creator = stage.world.user(Role::Creator).await;
    stage.submitted(mission, &creator).await;
    let assignment = AssignmentId::of(mission, id(&creator));
    let (world, sponsor) = (stage.world.clone(), stage.sponsor.clone());
    let environment = viral_commands::Environment::Development;
    let other = stage.world.another(Terms::default(), environment).await;
    let stream = StreamId::new(Assignment::TYPE, assignment.0.to_string());
    other.spy.before_read(stream, async move {
        world.must(&sponsor, &rejection(assignment)).await;
    });
    let request = stage.world.request();
    let outcome = other
        .commands
        .run(&creator, &request, &submission(mission))
        .await
        .unwrap();
    assert!(other.spy.is_done(), "nothing happened in between");
    assert!(!outcome.is_duplicate());
}
