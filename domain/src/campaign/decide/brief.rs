//! What a campaign says: its text, its targets, its budget and its time.

use super::super::{Brief, BriefEdit, Campaign, CampaignEvent, Created, Edited, Status};
use super::{CampaignError, Decision};
use crate::ids::{CampaignId, UserId};
use crate::present::Present;
use crate::text;
use chrono::Datelike;
use serde_json::{Map, Value};
use viral_ledger::timestamp;

/// The longest name of a kind of campaign or mission, in characters.
pub(super) const TYPE_LENGTH: usize = 64;
/// The most targets of a campaign.
const METRICS: usize = 20;
/// The longest name of a metric.
const METRIC_LENGTH: usize = 64;
/// The largest target: beyond it, JSON's integers lose digits.
const LARGEST_TARGET: f64 = 9_007_199_254_740_991.0;
/// The years that every reader of the log can show.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

pub(super) fn create(campaign: CampaignId, sponsor: UserId, brief: &Brief, now: &Present) -> Decision {
    let brief = in_microseconds(brief.clone());
    check(&brief, now)?;
    Ok(vec![CampaignEvent::Created(Created {
        brief,
        campaign,
        sponsor,
    })])
}

impl Campaign {
    pub(super) fn edit(&self, brief: &Brief, edit: &BriefEdit, now: &Present) -> Decision {
        self.check_status("it can be edited", &[Status::Draft])?;
        if *edit == BriefEdit::default() {
            return Err(CampaignError::NothingToChange);
        }
        let brief = in_microseconds(merged(brief, edit));
        check(&brief, now)?;
        self.check_fits(&brief)?;
        Ok(vec![CampaignEvent::Edited(Edited {
            brief,
            campaign: self.id,
        })])
    }

    /// A draft may have been funded and may have missions: an edit must leave room for them.
    fn check_fits(&self, brief: &Brief) -> Result<(), CampaignError> {
        if self.funded > brief.budget_vcoin {
            let problem = format!("must not be less than the {} VCOIN that are funded", self.funded);
            return invalid("budget_vcoin", problem);
        }
        for (id, mission) in &self.missions {
            if mission.added.reward_vcoin > brief.budget_vcoin {
                let problem = format!(
                    "must cover the reward of mission {id}, {} VCOIN",
                    mission.added.reward_vcoin
                );
                return invalid("budget_vcoin", problem);
            }
            if mission.added.deadline > brief.end_at {
                let deadline = timestamp::to_text(&mission.added.deadline);
                return invalid(
                    "end_at",
                    format!("must not be before the deadline of mission {id}, {deadline}"),
                );
            }
        }
        Ok(())
    }
}

/// Times are cut to what the log keeps, so that a decision is the same when it is replayed.
fn in_microseconds(brief: Brief) -> Brief {
    Brief {
        start_at: timestamp::truncate(brief.start_at),
        end_at: timestamp::truncate(brief.end_at),
        ..brief
    }
}

fn merged(brief: &Brief, edit: &BriefEdit) -> Brief {
    let edit = edit.clone();
    let brief = brief.clone();
    Brief {
        budget_vcoin: edit.budget_vcoin.unwrap_or(brief.budget_vcoin),
        campaign_type: edit.campaign_type.unwrap_or(brief.campaign_type),
        description: edit.description.unwrap_or(brief.description),
        end_at: edit.end_at.unwrap_or(brief.end_at),
        kpi_config: edit.kpi_config.unwrap_or(brief.kpi_config),
        start_at: edit.start_at.unwrap_or(brief.start_at),
        title: edit.title.unwrap_or(brief.title),
    }
}

fn check(brief: &Brief, now: &Present) -> Result<(), CampaignError> {
    let texts = text::check_line("title", &brief.title, text::TITLE)
        .and_then(|()| text::check_identifier("campaign_type", &brief.campaign_type, TYPE_LENGTH))
        .and_then(|()| text::check_text("description", &brief.description, text::DESCRIPTION));
    if let Err(text) = texts {
        return invalid(text.field, text.problem);
    }
    if !brief.budget_vcoin.is_positive() {
        return invalid("budget_vcoin", "must be more than zero");
    }
    if !YEARS.contains(&brief.start_at.year()) {
        return invalid("start_at", "must be in the years 1900 to 9999");
    }
    if !YEARS.contains(&brief.end_at.year()) {
        return invalid("end_at", "must be in the years 1900 to 9999");
    }
    if brief.end_at <= brief.start_at {
        return invalid("end_at", "must be after start_at");
    }
    if now.has_reached(brief.end_at) {
        return invalid("end_at", format!("must be in the future, it is {now} now"));
    }
    check_targets(&brief.kpi_config)
}

fn check_targets(targets: &Map<String, Value>) -> Result<(), CampaignError> {
    if targets.len() > METRICS {
        return invalid(
            "kpi_config",
            format!("has {} metrics, at most {METRICS} are possible", targets.len()),
        );
    }
    for (metric, target) in targets {
        if !is_metric(metric) {
            let shown: String = metric.chars().take(METRIC_LENGTH).collect();
            let problem = format!(
                "has the metric {shown:?}: names are a-z, 0-9 and _, begin with a letter and have at most {METRIC_LENGTH} characters"
            );
            return invalid("kpi_config", problem);
        }
        let valid = target
            .as_f64()
            .is_some_and(|target| target > 0.0 && target <= LARGEST_TARGET);
        if !valid {
            let problem = format!("must have a number above zero, at most {LARGEST_TARGET}, for {metric}");
            return invalid("kpi_config", problem);
        }
    }
    Ok(())
}

fn is_metric(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= METRIC_LENGTH
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Result<(), CampaignError> {
    let problem = problem.into();
    Err(CampaignError::Invalid { field, problem })
}
