//! Creating, editing, publishing, pausing, funding.

use super::*;
use crate::aggregate::Refusal;
use crate::given::given;
use crate::text::InvalidText;

#[test]
fn a_campaign_is_created_once() {
    let state = given::<Campaign>([]).when(create()).then([created()]).state();
    assert_eq!(
        (state.id, state.sponsor, state.status),
        (CAMPAIGN, SPONSOR, Status::Draft)
    );
    given::<Campaign>([created()])
        .when(create())
        .then_error(CampaignError::AlreadyExists);
}

#[test]
fn times_are_cut_to_what_the_log_keeps() {
    let command = |end_at| CampaignCommand::Create {
        campaign: CAMPAIGN,
        sponsor: SPONSOR,
        brief: Brief { end_at, ..brief() },
        now: now().into(),
    };
    given::<Campaign>([])
        .when(command(end() + chrono::TimeDelta::nanoseconds(999)))
        .then([created()]);
}

#[test]
fn what_a_campaign_says_is_checked() {
    let kpi = |value: Value| value.as_object().unwrap().clone();
    let many: serde_json::Map<String, Value> = (0..21).map(|i| (format!("m{i}"), json!(1))).collect();
    type Change = Box<dyn Fn(&mut Brief)>;
    let cases: Vec<(&str, &str, Change)> = vec![
        ("title", "must not be empty", Box::new(|b| b.title = " ".into())),
        ("title", "more than 200", Box::new(|b| b.title = "x".repeat(201))),
        ("title", "control characters", Box::new(|b| b.title = "a\nb".into())),
        (
            "campaign_type",
            "more than 64",
            Box::new(|b| b.campaign_type = "x".repeat(65)),
        ),
        (
            "description",
            "more than 4000",
            Box::new(|b| b.description = "x".repeat(4_001)),
        ),
        (
            "budget_vcoin",
            "more than zero",
            Box::new(|b| b.budget_vcoin = Vcoin::ZERO),
        ),
        (
            "start_at",
            "1900 to 9999",
            Box::new(|b| b.start_at = at("1899-12-31T23:59:59Z")),
        ),
        (
            "end_at",
            "1900 to 9999",
            Box::new(|b| b.end_at = at("+10000-01-01T00:00:00Z")),
        ),
        ("end_at", "after start_at", Box::new(|b| b.end_at = b.start_at)),
        ("end_at", "in the future", Box::new(|b| b.end_at = now())),
        (
            "kpi_config",
            "21 metrics, at most 20",
            Box::new(move |b| b.kpi_config = many.clone()),
        ),
        (
            "kpi_config",
            "\"Views\"",
            Box::new(move |b| b.kpi_config = kpi(json!({"Views": 1}))),
        ),
        (
            "kpi_config",
            "\"1st\"",
            Box::new(move |b| b.kpi_config = kpi(json!({"1st": 1}))),
        ),
        (
            "kpi_config",
            "\"\"",
            Box::new(move |b| b.kpi_config = kpi(json!({"": 1}))),
        ),
        (
            "kpi_config",
            "a number above zero",
            Box::new(move |b| b.kpi_config = kpi(json!({"views": 0}))),
        ),
        (
            "kpi_config",
            "a number above zero",
            Box::new(move |b| b.kpi_config = kpi(json!({"views": "9"}))),
        ),
        (
            "kpi_config",
            "9007199254740991",
            Box::new(move |b| b.kpi_config = kpi(json!({"views": 1e16}))),
        ),
    ];
    for (field, part, change) in cases {
        let mut brief = brief();
        change(&mut brief);
        let (campaign, sponsor, now) = (CAMPAIGN, SPONSOR, now().into());
        let error = given::<Campaign>([])
            .when(CampaignCommand::Create {
                campaign,
                sponsor,
                brief,
                now,
            })
            .error();
        assert_eq!(error.code(), "invalid_campaign");
        let text = error.to_string();
        assert!(
            text.starts_with(field) && text.contains(part),
            "{field}, {part}: {text}"
        );
    }
}

fn edit(edit: BriefEdit) -> CampaignCommand {
    let now = now().into();
    CampaignCommand::Edit { edit, now }
}

#[test]
fn a_draft_is_edited_field_by_field() {
    let change = BriefEdit {
        title: Some("Another".to_owned()),
        ..BriefEdit::default()
    };
    let brief = Brief {
        title: "Another".to_owned(),
        ..brief()
    };
    let edited = CampaignEvent::Edited(Edited {
        brief: brief.clone(),
        campaign: CAMPAIGN,
    });
    let state = given::<Campaign>(draft())
        .when(edit(change.clone()))
        .then([edited])
        .state();
    assert_eq!(state.brief, Some(brief));
    given::<Campaign>(draft())
        .when(edit(BriefEdit::default()))
        .then_error(CampaignError::NothingToChange);
    given::<Campaign>([])
        .when(edit(change.clone()))
        .then_error(CampaignError::Unknown);
    given::<Campaign>(running())
        .when(edit(change))
        .then_error(CampaignError::WrongStatus {
            status: "published",
            action: "it can be edited",
            allowed: &[Status::Draft],
        });
}

#[test]
fn an_edit_leaves_room_for_money_and_missions() {
    let invalid = |field, problem: &str| CampaignError::Invalid {
        field,
        problem: problem.to_owned(),
    };
    let budget = |amount| {
        edit(BriefEdit {
            budget_vcoin: Some(vcoin(amount)),
            ..BriefEdit::default()
        })
    };
    given::<Campaign>(draft()).when(budget("499.9999")).then_error(invalid(
        "budget_vcoin",
        "must not be less than the 500.0000 VCOIN that are funded",
    ));
    given::<Campaign>([created(), added(MISSION)])
        .when(budget("99"))
        .then_error(invalid(
            "budget_vcoin",
            &format!("must cover the reward of mission {MISSION}, 100.0000 VCOIN"),
        ));
    let earlier = edit(BriefEdit {
        end_at: Some(at("2026-03-19T00:00:00Z")),
        ..BriefEdit::default()
    });
    given::<Campaign>(draft()).when(earlier).then_error(invalid(
        "end_at",
        &format!("must not be before the deadline of mission {MISSION}, 2026-03-20T00:00:00.000000Z"),
    ));
}

#[test]
fn publishing_pausing_resuming() {
    let publish = || CampaignCommand::Publish { now: now().into() };
    let reason = || Some("stock is out".to_owned());
    let pause = |reason| CampaignCommand::Pause { reason };
    let paused = CampaignEvent::Paused(WithReason {
        campaign: CAMPAIGN,
        reason: reason(),
    });
    let state = given::<Campaign>(draft())
        .when(publish())
        .then([published()])
        .when(pause(reason()))
        .then([paused])
        .when(publish())
        .then([CampaignEvent::Resumed(of_campaign())])
        .state();
    assert_eq!(state.status, Status::Published);
    given::<Campaign>([created()])
        .when(publish())
        .then_error(CampaignError::NoMission);
    given::<Campaign>(draft())
        .when(CampaignCommand::Publish { now: end().into() })
        .then_error(CampaignError::Ended { end_at: end() });
    given::<Campaign>(running())
        .when(publish())
        .then_error(CampaignError::WrongStatus {
            status: "published",
            action: "it can be published",
            allowed: &[Status::Draft, Status::Paused],
        });
    let empty = InvalidText {
        field: "reason",
        problem: "must not be empty".to_owned(),
    };
    given::<Campaign>(running())
        .when(pause(Some(String::new())))
        .then_error(CampaignError::InvalidText(empty));
}

#[test]
fn funding_is_partial_and_repeated_up_to_the_budget() {
    let state = given::<Campaign>(draft())
        .when(fund("499.9999"))
        .then([funded("499.9999")])
        .when(fund("0.0001"))
        .then([funded("0.0001")])
        .state();
    assert_eq!((state.funded, state.left()), (sum("1000"), sum("1000")));
    let exceeded = CampaignError::BudgetExceeded {
        budget: vcoin("1000"),
        funded: sum("500"),
        amount: vcoin("500.0001"),
    };
    assert_eq!(
        exceeded.to_string(),
        "500.0001 VCOIN is more than the budget allows: 500.0000 of 1000.0000 VCOIN are funded"
    );
    given::<Campaign>(draft()).when(fund("500.0001")).then_error(exceeded);
    given::<Campaign>(draft())
        .when(fund("0"))
        .then_error(CampaignError::InvalidAmount);
}

#[test]
fn what_was_paid_counts_as_funded() {
    let events = at_work().into_iter().chain([paid(first(), CREATOR)]);
    given::<Campaign>(events)
        .when(fund("501"))
        .then_error(CampaignError::BudgetExceeded {
            budget: vcoin("1000"),
            funded: sum("500"),
            amount: vcoin("501"),
        });
}
