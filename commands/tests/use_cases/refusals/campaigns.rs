//! What a campaign does not allow as it is.

use crate::stage::*;
use crate::world::vcoin;
use chrono::Duration;
use viral_commands::use_cases::*;
use viral_domain::campaign::{Brief, BriefEdit};
use viral_domain::{CampaignId, MissionId};

#[tokio::test]
async fn briefs_and_missions_make_sense() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let good = stage.brief("100");
    let bad = [
        Brief {
            title: " ".to_owned(),
            ..good.clone()
        },
        Brief {
            budget_vcoin: vcoin("0"),
            ..good.clone()
        },
        Brief {
            end_at: good.start_at,
            ..good.clone()
        },
        Brief {
            start_at: world.now() - Duration::days(2),
            end_at: world.now(),
            ..good.clone()
        },
        Brief {
            campaign_type: "x".repeat(65),
            ..good.clone()
        },
    ];
    for brief in bad {
        world
            .refused(sponsor, &CreateCampaign { brief }, "invalid_campaign")
            .await;
    }
    let campaign = stage.draft("100").await;
    let edit = BriefEdit::default();
    world
        .refused(sponsor, &EditCampaign { campaign, edit }, "nothing_to_change")
        .await;
    world
        .refused(sponsor, &PublishCampaign { campaign }, "no_mission")
        .await;
    let good = stage.new_mission(campaign, "10", 1);
    let bad = [
        AddMission {
            places: 0,
            ..good.clone()
        },
        AddMission {
            places: 10_001,
            ..good.clone()
        },
        AddMission {
            reward: vcoin("0"),
            ..good.clone()
        },
        AddMission {
            reward: vcoin("100.0001"),
            ..good.clone()
        },
        AddMission {
            deadline: world.now(),
            ..good.clone()
        },
        AddMission {
            deadline: world.now() + Duration::days(91),
            ..good.clone()
        },
    ];
    for mission in bad {
        world.refused(sponsor, &mission, "invalid_mission").await;
    }
    world.must(sponsor, &good).await;
    let edit = BriefEdit {
        budget_vcoin: Some(vcoin("9")),
        ..BriefEdit::default()
    };
    world
        .refused(sponsor, &EditCampaign { campaign, edit }, "invalid_campaign")
        .await;
    world.wait(Duration::days(90));
    world
        .refused(sponsor, &PublishCampaign { campaign }, "campaign_ended")
        .await;
}

#[tokio::test]
async fn funding_stays_within_the_budget_and_the_wallet() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    stage.buys("5.00").await;
    let campaign = stage.draft("1000").await;
    let fund = |amount| FundCampaign {
        campaign,
        amount: vcoin(amount),
    };
    world.refused(sponsor, &fund("0"), "amount_not_positive").await;
    world.refused(sponsor, &fund("1000.0001"), "budget_exceeded").await;
    world.refused(sponsor, &fund("500.0001"), "insufficient_funds").await;
    world.must(sponsor, &fund("400")).await;
    world.refused(sponsor, &fund("600.0001"), "budget_exceeded").await;
    world.refused(sponsor, &fund("100.0001"), "insufficient_funds").await;
    let edit = BriefEdit {
        budget_vcoin: Some(vcoin("399")),
        ..BriefEdit::default()
    };
    world
        .refused(sponsor, &EditCampaign { campaign, edit }, "invalid_campaign")
        .await;
    world.audit().await;
}

/// Every use case of a sponsor on a campaign, but for those that a status allows.
async fn refused_but(stage: &Stage, campaign: CampaignId, mission: MissionId, allowed: &[&str]) {
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let code = "campaign_wrong_status";
    let refused = |name: &str| !allowed.contains(&name);
    if refused("edit") {
        let title = Some("Another".to_owned());
        let edit = BriefEdit {
            title,
            ..BriefEdit::default()
        };
        world.refused(sponsor, &EditCampaign { campaign, edit }, code).await;
    }
    if refused("publish") {
        world.refused(sponsor, &PublishCampaign { campaign }, code).await;
    }
    if refused("pause") {
        let pause = PauseCampaign { campaign, reason: None };
        world.refused(sponsor, &pause, code).await;
    }
    if refused("add") {
        world.refused(sponsor, &stage.new_mission(campaign, "1", 1), code).await;
    }
    if refused("open") {
        world.refused(sponsor, &OpenMission { mission }, code).await;
    }
    if refused("close mission") {
        world.refused(sponsor, &CloseMission { mission }, code).await;
    }
    if refused("fund") {
        let amount = vcoin("1");
        world.refused(sponsor, &FundCampaign { campaign, amount }, code).await;
    }
    if refused("invite") {
        let creators = vec![crate::world::id(&stage.second)];
        world
            .refused(sponsor, &InviteCreators { mission, creators }, code)
            .await;
    }
    if refused("close") {
        world.refused(sponsor, &CloseCampaign { campaign }, code).await;
    }
    if refused("join") {
        world.refused(&stage.second, &JoinMission { mission }, code).await;
    }
}

#[tokio::test]
async fn each_status_allows_what_it_allows() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    stage.buys("5.00").await;
    let campaign = stage.draft("400").await;
    let mission = stage.mission(campaign, "10", 1).await;
    stage.fund(campaign, "100").await;
    let draft = [
        "edit",
        "publish",
        "add",
        "open",
        "close mission",
        "fund",
        "close",
        "join",
    ];
    refused_but(&stage, campaign, mission, &draft).await;
    // To creators a draft is not there at all.
    world
        .refused(&stage.second, &JoinMission { mission }, "not_found")
        .await;

    stage.publish(campaign).await;
    let open = ["add", "open", "close mission", "fund", "invite", "close"];
    let published = [&open[..], &["pause", "join"]].concat();
    refused_but(&stage, campaign, mission, &published).await;

    world.must(sponsor, &OpenMission { mission }).await;
    world
        .refused(sponsor, &OpenMission { mission }, "already_open_call")
        .await;
    world.must(sponsor, &PauseCampaign { campaign, reason: None }).await;
    let paused = [&open[..], &["publish"]].concat();
    refused_but(&stage, campaign, mission, &paused).await;

    stage.publish(campaign).await;
    world.must(&stage.first, &JoinMission { mission }).await;
    world.must(sponsor, &CloseCampaign { campaign }).await;
    // Closing closes the missions, so that is refused for another reason.
    refused_but(&stage, campaign, mission, &["close mission"]).await;
    world
        .refused(sponsor, &CloseMission { mission }, "mission_closed")
        .await;

    world.must(&stage.first, &submission(mission)).await;
    let assignment = viral_domain::AssignmentId::of(mission, crate::world::id(&stage.first));
    world.must(sponsor, &approval(assignment)).await;
    refused_but(&stage, campaign, mission, &[]).await;
    world.audit().await;
}
