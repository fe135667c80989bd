//! What goes through the tables comes back as it was: no amount through a floating-point number, no number of a user
//! rounded, no microsecond lost. A row is read and written again with each event, so that small losses would add up.

use super::story::{CAMPAIGN, SPONSOR, at, bought, brief, funded, id, profile, registered, vcoin};
use super::world::{World, event};
use serde_json::json;
use viral_domain::campaign::{CampaignEvent, Created, OfCampaign};
use viral_domain::user::Role;
use viral_domain::{CampaignId, UserId};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_rounded() {
    let world = World::new().await;
    let running = world.start();
    world
        .append(event(
            "user",
            id(SPONSOR),
            registered(id(SPONSOR), Role::Sponsor, &profile("s")),
        ))
        .await;
    let (on_ramp, completed) = bought(id(SPONSOR), "charge", "1.00", "98765432109876543210.9876");
    world.append(event("on_ramp", on_ramp, completed)).await;
    let campaign = CampaignId(id(CAMPAIGN));
    let mut brief = brief("Exact", "1");
    brief.budget_vcoin = vcoin("99999999999999999999.9999");
    brief.end_at = at("2026-12-31T23:59:59.999999Z");
    let kpis = json!({"least": 5e-324, "most": 1.7976931348623157e308, "third": 1.0 / 3.0, "sum": 0.1 + 0.2,
        "integer": 9_007_199_254_740_991_i64, "big": 1e21, "small": 1.2345678901234567e-300, "\u{e9}\"\\": -0.5});
    brief.kpi_config = kpis.as_object().unwrap().clone();
    let created = Created {
        brief,
        campaign,
        sponsor: UserId(id(SPONSOR)),
    };
    world
        .append(event("campaign", campaign.0, CampaignEvent::Created(created)))
        .await;
    for round in 0..6 {
        // One transaction of the projector each.
        world.caught_up().await;
        let change = match round % 3 {
            0 => CampaignEvent::Published(OfCampaign { campaign }),
            1 => funded(campaign.0, id(SPONSOR), "12345678901234567890.0001"),
            _ => CampaignEvent::Resumed(OfCampaign { campaign }),
        };
        world.append(event("campaign", campaign.0, change)).await;
    }
    world.caught_up().await;
    let row = world
        .row("SELECT kpi_config, budget_vcoin::text AS budget, funded_vcoin::text AS funded, end_at FROM campaigns")
        .await;
    assert_eq!(row["kpi_config"], kpis);
    assert_eq!(row["budget"], "99999999999999999999.9999");
    assert_eq!(row["funded"], "24691357802469135780.0002");
    assert_eq!(row["end_at"], "2026-12-31T23:59:59.999999+00:00");
    let wallet = format!(
        "SELECT balance_vcoin FROM wallet_accounts WHERE address = 'user:{}:wallet'",
        id(SPONSOR)
    );
    assert_eq!(world.text(&wallet).await, "74074074307407407430.9874");
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    running.stop().await;
}
