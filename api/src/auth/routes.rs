//! Every route and who may call it. A route that is not here is refused to everybody, so one that is forgotten is not
//! open; a test compares this table with the routes that are mounted, both ways.

use super::actions::Action;
use axum::http::Method;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Roles that may do this.
    To(Action),
}

/// A route and who may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The path as it is registered.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
}

impl Rule {
    /// Whether it appends to the log: then it wants an `Idempotency-Key` and answers a position. Measurements are no events.
    pub fn appends(&self) -> bool {
        self.method != Method::GET && self.access != Access::To(Action::RecordEngagement)
    }
}

const fn public(path: &'static str) -> Rule {
    Rule {
        method: Method::GET,
        path,
        access: Access::Public,
    }
}

const fn get(path: &'static str, action: Action) -> Rule {
    let access = Access::To(action);
    let method = Method::GET;
    Rule { method, path, access }
}

const fn post(path: &'static str, action: Action) -> Rule {
    let access = Access::To(action);
    let method = Method::POST;
    Rule { method, path, access }
}

const fn put(path: &'static str, action: Action) -> Rule {
    let access = Access::To(action);
    let method = Method::PUT;
    Rule { method, path, access }
}

const fn patch(path: &'static str, action: Action) -> Rule {
    let access = Access::To(action);
    let method = Method::PATCH;
    Rule { method, path, access }
}

/// Every route.
pub const ROUTES: &[Rule] = &[
    public("/healthz"),
    public("/readyz"),
    public("/openapi.json"),
    public("/docs"),
    public("/docs/"),
    public("/docs/{file}"),
    get("/v1/ledger/accounts", Action::ReadLedger),
    get("/v1/ledger/accounts/{address}", Action::ReadLedger),
    get("/v1/ledger/accounts/{address}/balance", Action::ReadLedger),
    get("/v1/ledger/transactions", Action::ReadLedger),
    get("/v1/ledger/transactions/{id}", Action::ReadLedger),
    get("/v1/ledger/trial-balance", Action::ReadLedger),
    get("/v1/ledger/holds", Action::ReadLedger),
    get("/v1/ledger/holds/{id}", Action::ReadLedger),
    post("/v1/ledger/accounts", Action::OpenAccount),
    post("/v1/ledger/accounts/{address}/freeze", Action::ChangeAccount),
    post("/v1/ledger/accounts/{address}/unfreeze", Action::ChangeAccount),
    post("/v1/ledger/accounts/{address}/close", Action::ChangeAccount),
    post("/v1/ledger/transactions", Action::Post),
    post("/v1/ledger/transactions/{id}/reverse", Action::Reverse),
    post("/v1/ledger/holds", Action::Hold),
    post("/v1/ledger/holds/{id}/capture", Action::Hold),
    post("/v1/ledger/holds/{id}/void", Action::Hold),
    post("/v1/ledger/periods/close", Action::ClosePeriod),
    get("/v1/events", Action::ReadLog),
    get("/v1/campaigns", Action::ReadCampaign),
    post("/v1/campaigns", Action::CreateCampaign),
    get("/v1/campaigns/{id}", Action::ReadCampaign),
    patch("/v1/campaigns/{id}", Action::ManageCampaign),
    post("/v1/campaigns/{id}/publish", Action::ManageCampaign),
    post("/v1/campaigns/{id}/pause", Action::StopCampaign),
    post("/v1/campaigns/{id}/fund", Action::FundCampaign),
    post("/v1/campaigns/{id}/close", Action::StopCampaign),
    get("/v1/campaigns/{id}/assignments", Action::ReadCampaignHistory),
    get("/v1/campaigns/{id}/events", Action::ReadCampaignHistory),
    get("/v1/campaigns/{id}/statement", Action::ReadCampaignHistory),
    get("/v1/campaigns/{id}/metrics", Action::ReadCampaignMetrics),
    post("/v1/engagement", Action::RecordEngagement),
    get("/v1/campaigns/{id}/missions", Action::ReadCampaign),
    post("/v1/campaigns/{id}/missions", Action::ManageCampaign),
    get("/v1/missions/{id}", Action::ReadCampaign),
    post("/v1/missions/{id}/assign", Action::AssignMission),
    post("/v1/missions/{id}/close", Action::ManageCampaign),
    post("/v1/missions/{id}/deliverables", Action::TakePart),
    get("/v1/assignments/{id}", Action::ReadAssignment),
    post("/v1/assignments/{id}/accept", Action::TakePart),
    post("/v1/assignments/{id}/decline", Action::TakePart),
    post("/v1/assignments/{id}/withdraw", Action::TakePart),
    post("/v1/assignments/{id}/review", Action::ReviewWork),
    post("/v1/dev/users", Action::RegisterDevUser),
    get("/v1/users/me", Action::ReadUser),
    put("/v1/users/me/profile", Action::ChangeProfile),
    post("/v1/admin/users/{id}/verification", Action::VerifyUser),
    get("/v1/creators/me/dashboard", Action::ReadDashboard),
    get("/v1/wallets/me", Action::ReadWallet),
    get("/v1/wallets/{id}", Action::ReadAnyWallet),
    post("/v1/wallets/on-ramp", Action::OnRamp),
    post("/v1/wallets/payout", Action::RequestPayout),
    get("/v1/payouts", Action::ReadPayout),
    get("/v1/payouts/{id}", Action::ReadPayout),
    post("/v1/payouts/{id}/approve", Action::ReviewPayout),
    post("/v1/payouts/{id}/reject", Action::ReviewPayout),
    post("/v1/payouts/{id}/cancel", Action::CancelPayout),
    post("/v1/admin/payouts/{id}/outcome", Action::SettlePayout),
    post("/v1/admin/fraud", Action::RaiseFlag),
    get("/v1/admin/fraud", Action::ReadFlag),
    get("/v1/admin/fraud/{id}", Action::ReadFlag),
    post("/v1/admin/fraud/{id}/resolve", Action::ResolveFlag),
];
