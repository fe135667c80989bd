//! Suspicions against a campaign and against creators in it.

use super::*;
use crate::given::given;

fn event(flag: FlagId, creator: Option<UserId>) -> FlagOfCampaign {
    let campaign = CAMPAIGN;
    FlagOfCampaign {
        campaign,
        creator,
        flag,
    }
}

#[test]
fn a_flag_concerns_one_creator_or_everybody() {
    let against_all = FlagId(Uuid::from_u128(9));
    let state = given::<Campaign>(closed())
        .when(CampaignCommand::Flag {
            flag: FLAG,
            creator: Some(CREATOR),
        })
        .then([CampaignEvent::Flagged(event(FLAG, Some(CREATOR)))])
        .when(CampaignCommand::Flag {
            flag: against_all,
            creator: None,
        })
        .then([CampaignEvent::Flagged(event(against_all, None))])
        .state();
    assert_eq!(state.flags_against(CREATOR).collect::<Vec<_>>(), [FLAG, against_all]);
    assert_eq!(state.flags_against(OTHER).collect::<Vec<_>>(), [against_all]);
}

#[test]
fn a_flag_is_raised_once_and_cleared_once() {
    let raise = || CampaignCommand::Flag {
        flag: FLAG,
        creator: None,
    };
    let clear = || CampaignCommand::ClearFlag { flag: FLAG };
    let flagged = [draft(), vec![CampaignEvent::Flagged(event(FLAG, Some(CREATOR)))]].concat();
    given::<Campaign>(flagged.clone())
        .when(raise())
        .then_error(CampaignError::FlagExists { flag: FLAG });
    let state = given::<Campaign>(flagged)
        .when(clear())
        .then([CampaignEvent::FlagCleared(event(FLAG, Some(CREATOR)))])
        .state();
    assert_eq!(state.flags_against(CREATOR).count(), 0);
    given::<Campaign>(draft())
        .when(clear())
        .then_error(CampaignError::UnknownFlag { flag: FLAG });
}
