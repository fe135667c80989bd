//! The aggregates as those of the crate `cqrs-es`: a wrapper makes any of them one, and its test framework drives them.

use crate::world::{usd, vcoin};
use cqrs_es::event_sink::EventSink;
use cqrs_es::test::TestFramework;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use viral_domain::assignment::{Assignment, AssignmentCommand, AssignmentEvent, Offered};
use viral_domain::campaign::{Campaign, CampaignCommand, CampaignError};
use viral_domain::fraud_flag::{FraudFlag, FraudFlagCommand, FraudFlagEvent, Raised, SourceType};
use viral_domain::on_ramp::{OnRamp, OnRampCommand};
use viral_domain::payout::{Payout, PayoutCommand, PayoutError};
use viral_domain::user::{Login, LoginCommand, LoginError, LoginEvent, Role, User, UserCommand, UserError, UserEvent};
use viral_domain::{
    Aggregate, AssignmentId, CampaignId, DomainEvent, FlagId, MissionId, OnRampId, Sealed, Terms, UserId,
};

/// One of our events, as one of theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
struct Happened<E: DomainEvent>(E);

impl<E: DomainEvent> cqrs_es::DomainEvent for Happened<E> {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        self.0.version().to_owned()
    }
}

/// One of our aggregates, as one of theirs. They keep snapshots of an aggregate as JSON; ours is its history.
struct Sourced<A: Aggregate> {
    state: A,
    history: Vec<Happened<A::Event>>,
}

impl<A: Aggregate> Default for Sourced<A> {
    fn default() -> Sourced<A> {
        Sourced {
            state: A::default(),
            history: Vec::new(),
        }
    }
}

impl<A: Aggregate> Sourced<A> {
    fn take(&mut self, event: Happened<A::Event>) {
        self.state.evolve(&event.0);
        self.history.push(event);
    }
}

impl<A: Aggregate> Serialize for Sourced<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.history.serialize(serializer)
    }
}

impl<'de, A: Aggregate> Deserialize<'de> for Sourced<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sourced<A>, D::Error> {
        let mut sourced = Sourced::default();
        for event in Vec::deserialize(deserializer)? {
            sourced.take(event);
        }
        Ok(sourced)
    }
}

impl<A: Aggregate> cqrs_es::Aggregate for Sourced<A>
where
    A::Command: Send + Sync,
{
    const TYPE: &'static str = A::TYPE;
    type Command = A::Command;
    type Event = Happened<A::Event>;
    type Error = A::Error;
    type Services = ();

    async fn handle(&mut self, command: A::Command, (): &(), sink: &EventSink<Self>) -> Result<(), A::Error> {
        for event in self.state.decide(&command)? {
            sink.write(Happened(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Happened<A::Event>) {
        self.take(event);
    }
}

fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> cqrs_es::test::AggregateTestExecutor<Sourced<A>>
where
    A::Command: Send + Sync,
{
    TestFramework::with(()).given(events.into_iter().map(Happened).collect())
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn happened<E: DomainEvent>(events: impl IntoIterator<Item = E>) -> Vec<Happened<E>> {
    events.into_iter().map(Happened).collect()
}

#[test]
fn a_user_registers_once() {
    let profile = Sealed {
        ct: "AA".to_owned(),
        key: uuid(2),
        nonce: "AAAAAAAAAAAAAAAA".to_owned(),
        person: uuid(1),
    };
    let (user, role) = (UserId(uuid(1)), Role::Creator);
    let register = || UserCommand::Register {
        user,
        role,
        profile: profile.clone(),
    };
    let answer = given::<User>([]).when(register()).inspect_result().unwrap();
    let [Happened(UserEvent::Registered(registered))] = &answer[..] else {
        panic!("{answer:?}");
    };
    assert_eq!((registered.user, registered.role), (user, role));
    let events = answer.into_iter().map(|event| event.0);
    given::<User>(events)
        .when(register())
        .then_expect_error(UserError::UserExists(user));
}

#[test]
fn a_login_is_claimed_once() {
    let user = UserId(uuid(1));
    let claimed = || LoginEvent::Claimed(viral_domain::user::Claimed { user });
    let claim = || LoginCommand::Claim { user };
    given::<Login>([])
        .when(claim())
        .then_expect_events(happened([claimed()]));
    given::<Login>([claimed()])
        .when(claim())
        .then_expect_error(LoginError::AlreadyClaimed);
}

#[test]
fn a_campaign_that_is_not_there_does_nothing() {
    let refund = uuid(1);
    given::<Campaign>([])
        .when(CampaignCommand::Close { refund })
        .then_expect_error(CampaignError::Unknown);
}

#[test]
fn an_invitation_is_declined() {
    let assignment = AssignmentId(uuid(1));
    let offered = AssignmentEvent::Invited(Offered {
        assignment,
        campaign: CampaignId(uuid(2)),
        creator: UserId(uuid(3)),
        deadline: "2026-05-01T00:00:00Z".parse().unwrap(),
        mission: MissionId(uuid(4)),
        reward_vcoin: vcoin("100"),
        sponsor: UserId(uuid(5)),
    });
    let reason = Some("no time".to_owned());
    let declined = AssignmentEvent::Declined(viral_domain::assignment::WithReason {
        assignment,
        reason: reason.clone(),
    });
    given::<Assignment>([offered])
        .when(AssignmentCommand::Decline { reason })
        .then_expect_events(happened([declined]));
}

#[test]
fn a_payout_that_was_not_requested_is_not_sent() {
    let provider = "manual".to_owned();
    given::<Payout>([])
        .when(PayoutCommand::Submit { provider })
        .then_expect_error(PayoutError::UnknownPayout);
}

#[test]
fn a_suspicion_is_raised() {
    let raised = Raised {
        flag: FlagId(uuid(1)),
        reasons: vec!["odd".to_owned()],
        score: 100,
        source_id: uuid(2),
        source_type: SourceType::Payout,
    };
    given::<FraudFlag>([])
        .when(FraudFlagCommand::Raise(raised.clone()))
        .then_expect_events(happened([FraudFlagEvent::Raised(raised)]));
}

/// What they would keep as a snapshot leads to the same state.
#[test]
fn a_purchase_survives_a_snapshot() {
    let on_ramp = OnRampId::of("charge");
    let complete = OnRampCommand::Complete {
        on_ramp,
        user: UserId(uuid(1)),
        fiat: usd("1.00"),
        fiat_entry: "charge".to_owned(),
        terms: Terms::default(),
        transaction: uuid(2),
    };
    let events = given::<OnRamp>([]).when(complete).inspect_result().unwrap();
    let mut sourced = Sourced::<OnRamp>::default();
    for event in events {
        sourced.take(event);
    }
    let json = serde_json::to_string(&sourced).unwrap();
    let again: Sourced<OnRamp> = serde_json::from_str(&json).unwrap();
    assert!(again.state == sourced.state && again.state.exists());
}
