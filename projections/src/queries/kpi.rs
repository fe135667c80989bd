//! How far a campaign's targets are reached.

use super::measurements::EngagementFigures;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use viral_domain::Vcoin;

/// How far a target is reached.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct KpiProgress {
    /// The name of what is measured.
    pub metric: String,
    /// What the sponsor wants to reach.
    pub target: Value,
    /// What was reached: a number, or a decimal string where it is money; nothing while nobody measures it.
    /// Where measurements are `missing` it has none of them, or not all.
    pub actual: Option<Value>,
    /// The actual value as a share of the target, to two digits.
    pub percent: Option<f64>,
}

/// What the read model knows.
pub(super) struct Measured {
    /// Approved assignments.
    pub(super) deliverables: u64,
    /// Creators with at least one.
    pub(super) creators: u64,
    /// What was paid, the fees included; hidden from creators.
    pub(super) spend: Option<Vcoin>,
    /// What was measured; hidden from creators.
    pub(super) engagement: Option<EngagementFigures>,
}

pub(super) fn progress(targets: &Map<String, Value>, measured: &Measured) -> Vec<KpiProgress> {
    let of_target = |(metric, target): (&String, &Value)| {
        let actual = match metric.as_str() {
            "deliverables" => Some(Value::from(measured.deliverables)),
            "creators" => Some(Value::from(measured.creators)),
            "spend_vcoin" => measured.spend.map(|spend| Value::from(spend.to_string())),
            "impressions" => measured.engagement.map(|figures| Value::from(figures.impressions)),
            "clicks" => measured.engagement.map(|figures| Value::from(figures.clicks)),
            "watch_time" => measured.engagement.map(|figures| Value::from(figures.watch_time)),
            "watch_hours" => measured
                .engagement
                .map(|figures| Value::from(hours(figures.watch_time))),
            "conversions" => measured.engagement.map(|figures| Value::from(figures.conversions)),
            // Whatever else the sponsor wants to reach nobody measures here.
            _ => None,
        };
        KpiProgress {
            metric: metric.clone(),
            target: target.clone(),
            percent: actual.as_ref().and_then(|actual| percent(actual, target)),
            actual,
        }
    };
    targets.iter().map(of_target).collect()
}

/// Seconds in hours, to two digits.
fn hours(seconds: u64) -> f64 {
    // 2^53 seconds are exact, and longer than there was time.
    #[allow(clippy::cast_precision_loss)]
    let seconds = seconds as f64;
    (seconds / 36.0).round() / 100.0
}

/// A figure to look at, not to count with: floating point will do. Targets so small that it cannot hold it have none.
fn percent(actual: &Value, target: &Value) -> Option<f64> {
    let actual = match actual {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    let percent = (actual / target.as_f64()? * 10_000.0).round() / 100.0;
    percent.is_finite().then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_metrics_have_figures() {
        let targets = json!({
            "creators": 3, "deliverables": 8, "impressions": 100_000, "spend_vcoin": 1000.5, "tiny": 1e-300,
            "watch_hours": 3,
        });
        let measured = Measured {
            deliverables: 3,
            creators: 2,
            spend: Vcoin::parse("250.125").ok(),
            engagement: Some(EngagementFigures {
                impressions: 40_000,
                watch_time: 5_430,
                ..EngagementFigures::default()
            }),
        };
        let told = serde_json::to_value(progress(targets.as_object().unwrap(), &measured)).unwrap();
        let expected = json!([
            {"metric": "creators", "target": 3, "actual": 2, "percent": 66.67},
            {"metric": "deliverables", "target": 8, "actual": 3, "percent": 37.5},
            {"metric": "impressions", "target": 100_000, "actual": 40_000, "percent": 40.0},
            {"metric": "spend_vcoin", "target": 1000.5, "actual": "250.1250", "percent": 25.0},
            {"metric": "tiny", "target": 1e-300, "actual": null, "percent": null},
            {"metric": "watch_hours", "target": 3, "actual": 1.51, "percent": 50.33},
        ]);
        assert_eq!(told, expected);
    }

    #[test]
    fn no_figure_where_none_can_be_said() {
        assert_eq!(percent(&json!(5), &json!(1e-310)), None);
        assert_eq!(percent(&json!(0), &json!(0)), None);
        assert_eq!(percent(&json!(5), &json!("five")), None);
    }
}
