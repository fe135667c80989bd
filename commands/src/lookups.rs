//! What use cases look up again and again, with the answer that somebody gets for whom it is not there.

use crate::aggregates::{Subject, read_event};
use crate::commands::Work;
use crate::error::{CommandError, FollowError};
use viral_domain::assignment::Assignment;
use viral_domain::campaign::{Campaign, CampaignEvent, MissionAdded};
use viral_domain::payout::{Payout, Requested};
use viral_domain::user::{Role, User};
use viral_domain::{Aggregate as _, AssignmentId, CampaignId, MissionId, PayoutId, Requirements, UserId};
use viral_store::StoredEvent;

impl Work<'_> {
    /// The caller, who must be a user of this role.
    pub(crate) async fn caller_as(&self, role: Role) -> Result<UserId, CommandError> {
        let (code, what) = match role {
            Role::Creator => ("not_a_creator", "a creator"),
            _ => ("not_a_sponsor", "a sponsor"),
        };
        let refused = || CommandError::refused(code, format!("this is for {what}: sign in as one"));
        let user = self.caller.user.ok_or_else(refused)?;
        let found = self.load::<User>(user.0).await?;
        if found.state().role == Some(role) {
            Ok(user)
        } else {
            Err(refused())
        }
    }

    /// A campaign that is the caller's business, for a change.
    pub(crate) async fn take_campaign(&self, id: CampaignId) -> Result<Subject<Campaign>, CommandError> {
        let campaign = self.take::<Campaign>(id.0).await?;
        let state = campaign.state();
        if state.exists() && self.caller.may_touch(state.sponsor) {
            Ok(campaign)
        } else {
            Err(CommandError::not_found("campaign", id))
        }
    }

    /// The campaign of a mission, whoever's it is, for a change. A mission has the id of the event that added it.
    pub(crate) async fn take_campaign_of(&self, mission: MissionId) -> Result<Subject<Campaign>, CommandError> {
        let unknown = || CommandError::not_found("mission", mission);
        let event = self.store().find(mission.0).await?.ok_or_else(unknown)?;
        let added = mission_added(&event)?.ok_or_else(unknown)?;
        self.take::<Campaign>(added.campaign.0).await
    }

    /// What a mission requires, whoever's it is: that never changes, so that the campaign need not be waited for.
    pub(crate) async fn requirements_of(&self, mission: MissionId) -> Result<Requirements, CommandError> {
        let unknown = || CommandError::not_found("mission", mission);
        let event = self.store().find(mission.0).await?.ok_or_else(unknown)?;
        Ok(mission_added(&event)?.ok_or_else(unknown)?.requirements)
    }

    /// The campaign of a mission, if it is the caller's business.
    pub(crate) async fn take_own_campaign_of(&self, mission: MissionId) -> Result<Subject<Campaign>, CommandError> {
        let campaign = self.take_campaign_of(mission).await?;
        if self.caller.may_touch(campaign.state().sponsor) {
            Ok(campaign)
        } else {
            Err(CommandError::not_found("mission", mission))
        }
    }

    /// An assignment and its campaign, for a change. `owner` says whose business the assignment is.
    pub(crate) async fn take_assignment(
        &self,
        id: AssignmentId,
        owner: fn(&viral_domain::assignment::Offered) -> UserId,
    ) -> Result<(Subject<Assignment>, Subject<Campaign>), CommandError> {
        let unknown = || CommandError::not_found("assignment", id);
        let first = self.load::<Assignment>(id.0).await?;
        let offer = first.state().offer.as_ref().ok_or_else(unknown)?;
        if !self.caller.may_touch(owner(offer)) {
            return Err(unknown());
        }
        let campaign = self.take::<Campaign>(offer.campaign.0).await?;
        // Before it was our turn somebody else may have changed it.
        Ok((self.load(id.0).await?, campaign))
    }

    /// A payout that is the caller's business.
    pub(crate) async fn request_of(
        &self,
        id: PayoutId,
        owner: fn(&Requested) -> UserId,
    ) -> Result<Requested, CommandError> {
        let payout = self.load::<Payout>(id.0).await?;
        let request = payout
            .state()
            .request
            .as_ref()
            .filter(|request| self.caller.may_touch(owner(request)));
        request.cloned().ok_or_else(|| CommandError::not_found("payout", id))
    }

    /// A payout, its campaign and its creator, for an end of it.
    pub(crate) async fn take_payout(
        &self,
        request: &Requested,
    ) -> Result<(Subject<Payout>, Subject<Campaign>, Subject<User>), CommandError> {
        let campaign = self.take::<Campaign>(request.campaign.0).await?;
        let user = self.take::<User>(request.creator.0).await?;
        Ok((self.take(request.payout.0).await?, campaign, user))
    }
}

fn mission_added(event: &StoredEvent) -> Result<Option<MissionAdded>, FollowError> {
    if event.stream.aggregate_type != Campaign::TYPE {
        return Ok(None);
    }
    let read = read_event(event).map_err(|error| FollowError::unread(event.position, error))?;
    Ok(match read {
        CampaignEvent::MissionAdded(added) => Some(added),
        _ => None,
    })
}
