//! A dry run answers what the real call would. That it does for everything that is asked in these tests is seen by
//! [`crate::world::World::run`]; here is what that does not come to.

use crate::stage::Stage;
use crate::world::{code_of, vcoin};
use viral_commands::Outcome;
use viral_commands::use_cases::*;

#[tokio::test]
async fn a_key_that_was_used_counts_in_a_dry_run_too() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let (campaign, _) = stage.published("100", 1, "500").await;
    let fund = |amount| FundCampaign {
        campaign,
        amount: vcoin(amount),
    };
    let rehearse = async |body: &str, case| world.commands.rehearse(sponsor, &world.keyed("key", body), &case).await;
    let (request, whole) = (world.keyed("key", "a"), fund("9500"));
    let real = world.commands.run(sponsor, &request, &whole).await.unwrap();
    // The same request: its first answer, though by now it would be refused.
    let again = rehearse("a", fund("9500")).await.unwrap();
    assert_eq!(again, Outcome::Duplicate(real.events().to_vec()));
    // Another one: whether it would be refused or not, the key is taken.
    for amount in ["1", "9500"] {
        let error = rehearse("b", fund(amount)).await.unwrap_err();
        assert_eq!(code_of(&error), "key_reused");
    }
}

#[tokio::test]
async fn what_is_rehearsed_can_still_be_done_otherwise() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let (campaign, _) = stage.published("100", 1, "500").await;
    let request = world.request();
    let fund = |amount| FundCampaign {
        campaign,
        amount: vcoin(amount),
    };
    for _ in 0..2 {
        let rehearsed = world.commands.rehearse(sponsor, &request, &fund("1")).await.unwrap();
        assert!(!rehearsed.is_duplicate());
    }
    let done = world.commands.run(sponsor, &request, &fund("2")).await.unwrap();
    assert!(!done.is_duplicate());
    assert_eq!(world.audit().await.campaign(campaign).funded, vcoin("502"));
}

/// Rehearsals and appends in one batch do not see each other.
#[tokio::test]
async fn a_dry_run_beside_the_real_call_changes_nothing() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let (campaign, _) = stage.published("100", 1, "500").await;
    let other = stage.draft("9500").await;
    let fund = |campaign, amount| FundCampaign {
        campaign,
        amount: vcoin(amount),
    };
    let (first, second) = (world.request(), world.request());
    let (all, whole) = (fund(other, "9500"), fund(campaign, "9500"));
    let (dry, real, again) = tokio::join!(
        world.commands.rehearse(sponsor, &first, &all),
        world.commands.run(sponsor, &second, &whole),
        world.commands.rehearse(sponsor, &first, &all),
    );
    assert!(real.is_ok());
    for dry in [dry, again] {
        assert!(dry.is_ok() || dry.is_err_and(|error| code_of(&error) == "insufficient_funds"));
    }
    assert_eq!(world.audit().await.campaign(campaign).funded, vcoin("10000"));
}
