//! The matrix of roles and actions: who may do what, and with whose objects.

pub use viral_commands::Scope;
use viral_domain::user::Role;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident [$($role:ident $scope:ident),*];)*) => {
        /// What a route stands for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All actions.
            pub const ALL: &[Action] = &[$(Action::$name),*];
        }

        /// Which roles may do an action, and with whose objects.
        pub fn allowed(action: Action) -> &'static [(Role, Scope)] {
            match action {
                $(Action::$name => &[$((Role::$role, Scope::$scope)),*],)*
            }
        }
    };
}

actions! {
    /// Look at accounts, transactions, holds and reports.
    ReadLedger [Admin Any, Auditor Any, Compliance Any];
    /// Open an account.
    OpenAccount [Admin Any];
    /// Freeze, unfreeze or close an account.
    ChangeAccount [Admin Any];
    /// Post a transaction.
    Post [Admin Any];
    /// Place, capture or void a hold.
    Hold [Admin Any];
    /// Reverse a transaction.
    Reverse [Admin Any];
    /// Close a period.
    ClosePeriod [Admin Any];

    /// Look at the events of the log.
    ReadLog [Admin Any, Auditor Any, Compliance Any];

    /// Register somebody without a login, as `--dev` allows.
    RegisterDevUser [Admin Any];
    /// Look at one's own user and profile.
    ReadUser [Sponsor Own, Creator Own, Admin Own, Auditor Own, Compliance Own, Analyst Own];
    /// Change the profile.
    ChangeProfile [Sponsor Own, Creator Own, Admin Own, Auditor Own, Compliance Own, Analyst Own];
    /// Record how far somebody's identity is checked.
    VerifyUser [Admin Any];

    /// Create a campaign, which is its creator's own.
    CreateCampaign [Sponsor Own];
    /// Edit and publish a campaign, add missions to it and close them. A sponsor's own are those it created.
    ManageCampaign [Sponsor Own];
    /// Pause or close a campaign.
    StopCampaign [Sponsor Own, Admin Any];
    /// Put V-Coin into a campaign's escrow.
    FundCampaign [Sponsor Own];
    /// Look at campaigns and missions. A creator's own are those that are published and those with a part of theirs.
    ReadCampaign [Sponsor Own, Creator Own, Admin Any, Auditor Any, Compliance Any, Analyst Any];
    /// Look at a campaign's history and statement.
    ReadCampaignHistory [Sponsor Own, Admin Any, Auditor Any, Compliance Any];
    /// Look at what came of a campaign.
    ReadCampaignMetrics [Sponsor Own, Admin Any, Auditor Any, Compliance Any, Analyst Any];
    /// Record measurements of engagement: the connectors of the platform, and nobody whom figures could make look better.
    RecordEngagement [Admin Any];

    /// Invite creators to a mission, or open it to all; as a creator, take part in one that is open to all.
    AssignMission [Sponsor Own, Creator Own];
    /// Accept or decline an invitation, withdraw from a mission, and submit work.
    TakePart [Creator Own];
    /// Approve or reject work. A sponsor's own are those of its campaigns.
    ReviewWork [Sponsor Own];
    /// Look at parts in missions: a creator's own, or those of a sponsor's campaigns.
    ReadAssignment [Sponsor Own, Creator Own, Admin Any, Auditor Any, Compliance Any];
    /// Look at a creator's dashboard.
    ReadDashboard [Creator Own];

    /// Look at one's own wallet.
    ReadWallet [Sponsor Own, Creator Own];
    /// Look at the wallet of any user.
    ReadAnyWallet [Admin Any, Auditor Any, Compliance Any];
    /// Turn fiat money into V-Coin. An admin names the fiat entry; sponsors buy by themselves under `--dev` only.
    OnRamp [Sponsor Own, Admin Any];
    /// Ask for a payout.
    RequestPayout [Creator Own];
    /// Take a request for a payout back.
    CancelPayout [Creator Own];
    /// Approve or reject a payout. A sponsor's own are those of its campaigns.
    ReviewPayout [Sponsor Own, Admin Any];
    /// Look at payouts: a creator's own, or those of a sponsor's campaigns.
    ReadPayout [Sponsor Own, Creator Own, Admin Any, Auditor Any, Compliance Any];
    /// Send a payout, and record what became of it.
    SettlePayout [Admin Any];

    /// Raise a suspicion of fraud by hand.
    RaiseFlag [Admin Any];
    /// Look at suspicions.
    ReadFlag [Admin Any, Auditor Any, Compliance Any];
    /// Confirm or dismiss a suspicion.
    ResolveFlag [Admin Any];
}

/// With whose objects a role may do an action; nothing if it may not.
pub fn scope(action: Action, role: Role) -> Option<Scope> {
    let mut rows = allowed(action).iter();
    rows.find(|(allowed, _)| *allowed == role).map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix once more: whoever gives a role a right writes it down twice, on purpose.
    const MATRIX: &str = "
                            sponsor creator admin auditor compliance analyst
        ReadLedger          -       -       any   any     any        -
        OpenAccount         -       -       any   -       -          -
        ChangeAccount       -       -       any   -       -          -
        Post                -       -       any   -       -          -
        Hold                -       -       any   -       -          -
        Reverse             -       -       any   -       -          -
        ClosePeriod         -       -       any   -       -          -
        ReadLog             -       -       any   any     any        -
        RegisterDevUser     -       -       any   -       -          -
        ReadUser            own     own     own   own     own        own
        ChangeProfile       own     own     own   own     own        own
        VerifyUser          -       -       any   -       -          -
        CreateCampaign      own     -       -     -       -          -
        ManageCampaign      own     -       -     -       -          -
        StopCampaign        own     -       any   -       -          -
        FundCampaign        own     -       -     -       -          -
        ReadCampaign        own     own     any   any     any        any
        ReadCampaignHistory own     -       any   any     any        -
        ReadCampaignMetrics own     -       any   any     any        any
        RecordEngagement    -       -       any   -       -          -
        AssignMission       own     own     -     -       -          -
        TakePart            -       own     -     -       -          -
        ReviewWork          own     -       -     -       -          -
        ReadAssignment      own     own     any   any     any        -
        ReadDashboard       -       own     -     -       -          -
        ReadWallet          own     own     -     -       -          -
        ReadAnyWallet       -       -       any   any     any        -
        OnRamp              own     -       any   -       -          -
        RequestPayout       -       own     -     -       -          -
        CancelPayout        -       own     -     -       -          -
        ReviewPayout        own     -       any   -       -          -
        ReadPayout          own     own     any   any     any        -
        SettlePayout        -       -       any   -       -          -
        RaiseFlag           -       -       any   -       -          -
        ReadFlag            -       -       any   any     any        -
        ResolveFlag         -       -       any   -       -          -
    ";

    #[test]
    fn the_matrix_is_as_it_is_written_down() {
        let roles: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        let mut actual = vec![roles.join(" ")];
        for action in Action::ALL {
            let cell = |role| scope(*action, role).map_or("-", Scope::as_str);
            let cells: Vec<&str> = Role::ALL.into_iter().map(cell).collect();
            actual.push(format!("{action:?} {}", cells.join(" ")));
        }
        let written: Vec<String> = MATRIX
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(written, actual);
    }

    #[test]
    fn no_role_is_named_twice_for_an_action() {
        for action in Action::ALL {
            for (role, _) in allowed(*action) {
                let times = allowed(*action).iter().filter(|(other, _)| other == role).count();
                assert_eq!(times, 1, "{action:?} {role:?}");
            }
        }
    }
}
