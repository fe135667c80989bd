//! Many sponsors who buy V-Coin and fund campaigns: events for every read model that sums something up.

use super::story::{bought, brief, funded, profile, profile_changed, registered};
use super::world::{Together, World, event};
use uuid::Uuid;
use viral_domain::campaign::{CampaignEvent, Created};
use viral_domain::user::Role;
use viral_domain::{CampaignId, UserId};

/// The ids of a sponsor and of their campaign.
pub fn sponsor(number: u128) -> (Uuid, Uuid) {
    (
        Uuid::from_u128(0x7000_0000 + number),
        Uuid::from_u128(0x8000_0000 + number),
    )
}

/// What a sponsor does, each a unit.
fn does(number: u128) -> Vec<Together> {
    let (user, campaign) = sponsor(number);
    let created = Created {
        brief: brief(&format!("Campaign {number}"), "100"),
        campaign: CampaignId(campaign),
        sponsor: UserId(user),
    };
    let (on_ramp, completed) = bought(user, &format!("charge-{number}"), "1.00", "100");
    vec![
        event(
            "user",
            user,
            registered(user, Role::Sponsor, &profile(&format!("sponsor {number}"))),
        ),
        event("on_ramp", on_ramp, completed),
        event("campaign", campaign, CampaignEvent::Created(created)),
        event("campaign", campaign, funded(campaign, user, "12.3456")),
        event(
            "user",
            user,
            profile_changed(user, &profile(&format!("renamed {number}"))),
        ),
    ]
}

/// Lets these sponsors act, some of them at once.
pub async fn write(world: &World, numbers: std::ops::Range<u128>) {
    let numbers: Vec<u128> = numbers.collect();
    for chunk in numbers.chunks(20) {
        let units = chunk
            .iter()
            .flat_map(|number| does(*number))
            .map(|together| world.unit(together));
        for outcome in world.writer.append_all_briefly(units.collect()).await {
            outcome.unwrap();
        }
    }
}
