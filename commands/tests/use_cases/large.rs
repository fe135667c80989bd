//! What a call costs does not depend on how many creators a campaign has paid.

use crate::stage::Stage;
use crate::world::{id, vcoin};
use std::time::{Duration, Instant};
use uuid::Uuid;
use viral_commands::use_cases::FundCampaign;
use viral_commands::{NewEvent, Part, Unit};
use viral_domain::campaign::{CampaignEvent, PlaceTaken, RewardPaid};
use viral_domain::{AssignmentId, BasisPoints, CampaignId, MissionId, UserId, Vcoin};
use viral_store::{EventStore as _, StreamId};

const CREATORS: u128 = 10_000;

/// Rewards of so many creators, written into the campaign's stream as they stand there after some months.
async fn pay_creators(stage: &Stage, campaign: CampaignId, mission: MissionId) {
    let stream = StreamId::new("campaign", campaign.to_string());
    let expected = stage
        .world
        .store
        .read_stream(&stream, 0, usize::MAX)
        .await
        .unwrap()
        .len();
    let events = (0..CREATORS).flat_map(|number| {
        let (assignment, creator) = (AssignmentId(Uuid::from_u128(number)), UserId(Uuid::from_u128(number)));
        let (hold, transaction) = (Uuid::from_u128(number), Uuid::from_u128(number));
        let taken = CampaignEvent::PlaceTaken(PlaceTaken {
            assignment,
            campaign,
            creator,
            hold,
            mission,
            reward_vcoin: vcoin("1"),
        });
        let paid = CampaignEvent::RewardPaid(RewardPaid {
            assignment,
            campaign,
            creator,
            fee_bps: BasisPoints(0),
            fee_vcoin: Vcoin::ZERO,
            hold,
            mission,
            net_vcoin: vcoin("1"),
            reward_vcoin: vcoin("1"),
            sponsor: id(&stage.sponsor),
            transaction,
        });
        [taken, paid]
    });
    let events = events.map(|event| NewEvent::new(event.event_type(), "1", &event).unwrap());
    let part = Part::Events {
        stream,
        expected: u64::try_from(expected).unwrap(),
        events: events.collect(),
    };
    let unit = Unit::new(Uuid::from_u128(1), vec![part]);
    stage.world.commands.writer().append(unit).await.unwrap();
}

/// How long a funding takes.
async fn funding(stage: &Stage, campaign: CampaignId) -> Duration {
    let amount = vcoin("1");
    let begin = Instant::now();
    stage
        .world
        .run(&stage.sponsor, &FundCampaign { campaign, amount })
        .await
        .unwrap();
    begin.elapsed()
}

/// By turns, so that whatever else the machine does is in the way of both; the fastest of each count. Where a creator costs
/// something, ten thousand would cost more each time.
#[tokio::test]
async fn a_campaign_with_ten_thousand_paid_creators_is_funded_as_fast_as_an_empty_one() {
    let stage = Stage::new().await;
    let (empty, _) = stage.published("1", 10_000, "1").await;
    let (campaign, mission) = stage.published("1", 10_000, "1").await;
    pay_creators(&stage, campaign, mission).await;
    let (mut small, mut large) = (Duration::MAX, Duration::MAX);
    for round in 0..1_000 {
        small = small.min(funding(&stage, empty).await);
        large = large.min(funding(&stage, campaign).await);
        if round >= 50 && large < small * 3 {
            break;
        }
    }
    println!("{small:?} without creators, {large:?} with {CREATORS}");
    assert!(large < small * 3, "{large:?} instead of {small:?}");
}
