//! Whatever is asked of a campaign, in whatever order: no money appears, disappears, or is promised twice.

mod books;
mod steps;

use super::*;
use crate::aggregate::Aggregate;
use books::Books;
use proptest::prelude::*;
use steps::{command, step};

fn walk(campaign: &mut Campaign, books: &mut Books, command: &CampaignCommand) {
    for event in campaign.decide(command).unwrap_or_default() {
        campaign.evolve(&event);
        books.book(&event);
    }
    books.check(campaign);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn money_is_kept(steps in prop::collection::vec(step(), 1..120)) {
        let (mut campaign, mut books) = (Campaign::default(), Books::new());
        walk(&mut campaign, &mut books, &create());
        for (number, step) in (0..).zip(&steps) {
            walk(&mut campaign, &mut books, &command(number, step));
        }
        // However it went, it can be brought to its end.
        walk(&mut campaign, &mut books, &CampaignCommand::Close { refund: REFUND });
        let open: Vec<AssignmentId> = campaign.places.keys().copied().collect();
        for (number, assignment) in open.into_iter().enumerate() {
            let transaction = Uuid::from_u128(u128::MAX - number as u128);
            let last = match number % 2 {
                0 => CampaignCommand::PayReward { assignment, fee: FEE, transaction, refund: REWARD },
                _ => CampaignCommand::FreePlace { assignment, refund: REWARD },
            };
            walk(&mut campaign, &mut books, &last);
        }
        prop_assert_eq!(campaign.status, Status::Closed);
    }
}
