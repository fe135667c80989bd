//! What somebody may ask for in a random journey, with everybody and everything by number.

/// One request. The first number says who asks, where that makes a difference.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    OnRamp {
        user: usize,
        cents: i128,
        entry: u64,
    },
    Create {
        who: usize,
        budget: i128,
    },
    Edit {
        who: usize,
        campaign: usize,
        budget: i128,
    },
    AddMission {
        who: usize,
        campaign: usize,
        reward: i128,
        days: i64,
        places: u32,
    },
    Publish {
        who: usize,
        campaign: usize,
    },
    Pause {
        who: usize,
        campaign: usize,
    },
    OpenMission {
        who: usize,
        mission: usize,
    },
    CloseMission {
        who: usize,
        mission: usize,
    },
    Fund {
        who: usize,
        campaign: usize,
        amount: i128,
    },
    Close {
        who: usize,
        campaign: usize,
    },
    Invite {
        who: usize,
        mission: usize,
        users: Vec<usize>,
    },
    Accept {
        who: usize,
        work: Work,
    },
    Decline {
        who: usize,
        work: Work,
    },
    Withdraw {
        who: usize,
        work: Work,
    },
    Join {
        who: usize,
        mission: usize,
    },
    Submit {
        who: usize,
        mission: usize,
        fits: bool,
    },
    Review {
        who: usize,
        work: Work,
        approve: bool,
    },
    Expire {
        work: Work,
    },
    CancelInvitation {
        work: Work,
    },
    Request {
        who: usize,
        campaign: usize,
        amount: i128,
    },
    Approve {
        who: usize,
        payout: usize,
        reads: bool,
    },
    Reject {
        who: usize,
        payout: usize,
    },
    Cancel {
        who: usize,
        payout: usize,
    },
    Send {
        payout: usize,
    },
    Report {
        payout: usize,
        report: Report,
    },
    Raise {
        source: Source,
    },
    Resolve {
        flag: usize,
        dismiss: bool,
    },
}

/// A mission and a creator: at most one assignment.
pub(crate) type Work = (usize, usize);

/// What a provider says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report {
    Settled,
    Failed { finally: bool },
    Unknown,
}

/// What a suspicion is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    User(usize),
    Campaign(usize),
    Work(Work),
    Payout(usize),
}
