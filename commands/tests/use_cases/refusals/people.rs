//! Wrong roles, logins that are taken, profiles that say nothing, money that did not come in.

use crate::stage::*;
use crate::world::{World, caller, id, usd, vcoin};
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, Environment, NewEvent, Part, Unit};
use viral_domain::user::{Claimed, LoginEvent, Role, Verification};
use viral_domain::{CampaignId, Terms, UserId};
use viral_store::StreamId;

#[tokio::test]
async fn each_role_has_its_own_use_cases() {
    let stage = Stage::new().await;
    let world = &stage.world;
    let (campaign, mission) = stage.published("100", 1, "100").await;
    let create = CreateCampaign {
        brief: stage.brief("10"),
    };
    let system = Caller::system("test");
    // Whoever claims to be a user who does not exist has no role.
    let ghost = caller(Uuid::from_u128(99), Role::Sponsor);
    for who in [&stage.first, &stage.admin, &system, &ghost] {
        world.refused(who, &create, "not_a_sponsor").await;
    }
    let (amount, join) = (vcoin("1"), JoinMission { mission });
    for who in [&stage.sponsor, &stage.admin, &system, &ghost] {
        world.refused(who, &join, "not_a_creator").await;
        world.refused(who, &submission(mission), "not_a_creator").await;
        world
            .refused(who, &RequestPayout { campaign, amount }, "not_a_creator")
            .await;
    }
    // The role is the user's own, whatever the caller says.
    let pretender = Caller {
        role: Role::Sponsor,
        ..stage.first.clone()
    };
    world.refused(&pretender, &create, "not_a_sponsor").await;
    let nowhere = RequestPayout {
        campaign: CampaignId(Uuid::from_u128(99)),
        amount,
    };
    world.refused(&stage.first, &nowhere, "unknown_campaign").await;
}

#[tokio::test]
async fn in_production_admins_issue_and_approvals_need_a_second_factor() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 1, "100").await;
    stage.earned(mission, &stage.first).await;
    let payout = stage.requested(campaign, &stage.first, "50").await;
    let mut approval = stage.world.approval_of(payout).await;
    let production = stage.world.another(Terms::default(), Environment::Production).await;
    let on_ramp = stage.on_ramp("1.00");
    production
        .refused(&stage.sponsor, &on_ramp, "on_ramp_by_admin_only")
        .await;
    production.must(&stage.admin, &on_ramp).await;
    production
        .refused(&stage.sponsor, &approval, "second_factor_required")
        .await;
    for world in [&production, &stage.world] {
        approval.totp = Some("123456".to_owned());
        world
            .refused(&stage.sponsor, &approval, "second_factor_not_enrolled")
            .await;
    }
}

#[tokio::test]
async fn v_coin_is_issued_for_money_that_came_in_once() {
    let world = World::new().await;
    let stage = Stage::in_world(world).await;
    let (world, admin) = (&stage.world, &stage.admin);
    let entry = |fiat, fiat_entry: &str| OnRampFiat {
        user: id(&stage.sponsor),
        fiat,
        fiat_entry: fiat_entry.to_owned(),
    };
    // Even the first of all calls leaves nothing when it is refused: not even the platform's accounts.
    world
        .refused(admin, &entry(usd("0"), "charge"), "amount_not_positive")
        .await;
    let asset = viral_ledger::Asset::parse("EUR").unwrap();
    let euros = viral_domain::Money { asset, ..usd("1") };
    world.refused(admin, &entry(euros, "charge"), "wrong_currency").await;
    world.refused(admin, &entry(usd("1"), " "), "invalid_text").await;
    world.must(admin, &entry(usd("1"), "charge")).await;
    world
        .refused(admin, &entry(usd("2"), "charge"), "fiat_entry_used")
        .await;
    for user in [UserId(Uuid::from_u128(99)), id(admin)] {
        let to = OnRampFiat {
            user,
            ..entry(usd("1"), "other")
        };
        world.refused(admin, &to, "unknown_user").await;
    }
    let to_sponsor = entry(usd("1"), "other");
    world.refused(&stage.rival, &to_sponsor, "unknown_user").await;
    world.must(&stage.sponsor, &to_sponsor).await;
    world.audit().await;
}

#[tokio::test]
async fn logins_are_unique_and_profiles_say_something() {
    let world = World::new().await;
    let registrar = Caller::system("registrar");
    let register = |name: &str, email: Option<&str>| RegisterUser {
        role: Role::Creator,
        profile: Profile {
            bio: String::new(),
            display_name: name.to_owned(),
            email: email.map(str::to_owned),
            links: Vec::new(),
        },
    };
    world.must(&registrar, &register("a", Some("mail@example.com"))).await;
    for taken in ["mail@example.com", "MAIL@Example.Com"] {
        world
            .refused(&registrar, &register("b", Some(taken)), "login_taken")
            .await;
    }
    world.must(&registrar, &register("b", None)).await;
    world.must(&registrar, &register("b", None)).await;
    for (name, email) in [
        ("", None),
        ("a\nb", None),
        ("b", Some("nobody")),
        ("b", Some("a b@example.com")),
        ("\u{200b}", None),
        ("\u{3164}", None),
        ("b\u{202e}a", None),
        ("b", Some("mail\u{200b}@example.com")),
        ("b", Some("jose\u{301}@example.com")),
    ] {
        world
            .refused(&registrar, &register(name, email), "invalid_profile")
            .await;
    }
    // An old log may have a login in the spelling that is refused by now.
    let vault = world.commands.vault();
    let stream = StreamId::new("login", vault.blind("viral login 1", "jose\u{301}@example.com"));
    let claimed = LoginEvent::Claimed(Claimed {
        user: UserId(Uuid::now_v7()),
    });
    let events = vec![NewEvent::new("login.claimed", "1", &claimed).unwrap()];
    let part = Part::Events {
        stream,
        expected: 0,
        events,
    };
    world
        .commands
        .writer()
        .append(Unit::new(Uuid::now_v7(), vec![part]))
        .await
        .unwrap();
    world
        .refused(&registrar, &register("b", Some("Jos\u{c9}@example.com")), "login_taken")
        .await;
    world
        .must(&registrar, &register("b", Some("jos\u{e8}@example.com")))
        .await;
    let user = world.user(Role::Creator).await;
    let mut change = ChangeProfile {
        user: id(&user),
        profile: register("c", None).profile,
    };
    change.profile.links = vec!["https://example.com".to_owned(); 11];
    world.refused(&user, &change, "invalid_profile").await;
    let unchanged = ChangeVerification {
        user: id(&user),
        verification: Verification::Unverified,
    };
    world.refused(&registrar, &unchanged, "verification_unchanged").await;
}
