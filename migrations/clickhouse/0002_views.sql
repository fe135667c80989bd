-- What analysts read. Each view ends at the watermark and is computed from the log, so nothing in it can drift.
--
-- The views that end at the watermark read others, `<table>_once`, and not the tables: which parts of a table a query reads
-- is settled before a watermark in it is looked up, but a view is opened after that. Otherwise a range that comes in
-- between would be below the watermark and missing.
--
-- Views that join or aggregate say which settings they were written for: those of an analyst's session would else change the
-- types of their columns, and break them.

CREATE OR REPLACE VIEW watermarks (
    source String COMMENT 'The log, urn:viral:log:<uuid>',
    position UInt64 COMMENT 'Every event up to here is in all views',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the event at this position was recorded',
    written_at DateTime64(6, 'UTC') COMMENT 'When the views came to it'
) AS
SELECT source, position, recorded_at, written_at FROM watermark_rows FINAL
COMMENT 'How far the views are complete';

CREATE OR REPLACE VIEW event_rows_once (
    position UInt64 COMMENT 'Place in the log, from 1, without gaps',
    event_id UUID COMMENT 'Id of the event',
    aggregate_type LowCardinality(String) COMMENT 'What kind of aggregate it happened to',
    aggregate_id String COMMENT 'Which one',
    sequence UInt64 COMMENT 'Place in the stream of the aggregate, from 1',
    event_type LowCardinality(String) COMMENT 'What happened, for example campaign.funded',
    event_version LowCardinality(String) COMMENT 'Version of the schema of the payload',
    payload String COMMENT 'What happened, as JSON; personal fields are sealed',
    metadata String COMMENT 'What is known beside it, as JSON',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    recorded_date Date COMMENT 'The day, in UTC',
    actor String COMMENT 'Pseudonymous id of who asked; empty if nobody did',
    correlation_id String COMMENT 'The request that it belongs to',
    unit_id UUID COMMENT 'The unit that it was appended in, all or nothing'
) AS
SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
    recorded_at, recorded_date, actor, correlation_id, unit_id
FROM event_rows FINAL
COMMENT 'Each row once, beyond the watermark too; behind the view events';

CREATE OR REPLACE VIEW events (
    position UInt64 COMMENT 'Place in the log, from 1, without gaps',
    event_id UUID COMMENT 'Id of the event',
    aggregate_type LowCardinality(String) COMMENT 'What kind of aggregate it happened to',
    aggregate_id String COMMENT 'Which one',
    sequence UInt64 COMMENT 'Place in the stream of the aggregate, from 1',
    event_type LowCardinality(String) COMMENT 'What happened, for example campaign.funded',
    event_version LowCardinality(String) COMMENT 'Version of the schema of the payload',
    payload String COMMENT 'What happened, as JSON; personal fields are sealed',
    metadata String COMMENT 'What is known beside it, as JSON',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    recorded_date Date COMMENT 'The day, in UTC',
    actor String COMMENT 'Pseudonymous id of who asked; empty if nobody did',
    correlation_id String COMMENT 'The request that it belongs to',
    unit_id UUID COMMENT 'The unit that it was appended in, all or nothing'
) AS
SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
    recorded_at, recorded_date, actor, correlation_id, unit_id
FROM event_rows_once
WHERE position <= (SELECT max(position) FROM watermark_rows)
COMMENT 'Every event of the log up to the watermark';

CREATE OR REPLACE VIEW ledger_entry_rows_once (
    position UInt64 COMMENT 'Position of the event that posted it',
    posting UInt16 COMMENT 'Which posting of its transaction, from 0',
    side LowCardinality(String) COMMENT 'debit or credit',
    transaction_id UUID COMMENT 'Id of the transaction',
    account String COMMENT 'Address of the account',
    asset LowCardinality(String) COMMENT 'VCOIN or an ISO 4217 code',
    amount Decimal(38, 4) COMMENT 'How much, always more than zero',
    debit Decimal(38, 4) COMMENT 'The amount if it is a debit, else zero',
    credit Decimal(38, 4) COMMENT 'The amount if it is a credit, else zero',
    code LowCardinality(String) COMMENT 'Kind of the transaction, for example reward',
    reference_type LowCardinality(String) COMMENT 'What it is about; empty if nothing',
    reference_id String COMMENT 'Id of what it is about',
    effective_at DateTime64(6, 'UTC') COMMENT 'When it takes effect in reports',
    effective_date Date32 COMMENT 'Day of effect, in UTC',
    posted_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    posted_date Date COMMENT 'Day of posting, in UTC',
    reverses Nullable(UUID) COMMENT 'The transaction that it undoes',
    captures Nullable(UUID) COMMENT 'The hold that it captured'
) AS
SELECT position, posting, side, transaction_id, account, asset, amount,
    if(side = 'debit', amount, toDecimal128(0, 4)) AS debit, if(side = 'credit', amount, toDecimal128(0, 4)) AS credit,
    code, reference_type, reference_id, effective_at, effective_date, posted_at, posted_date, reverses, captures
FROM ledger_entry_rows FINAL
COMMENT 'Each row once, beyond the watermark too; behind the view ledger_entries';

CREATE OR REPLACE VIEW ledger_entries (
    position UInt64 COMMENT 'Position of the event that posted it',
    posting UInt16 COMMENT 'Which posting of its transaction, from 0',
    side LowCardinality(String) COMMENT 'debit or credit',
    transaction_id UUID COMMENT 'Id of the transaction',
    account String COMMENT 'Address of the account',
    asset LowCardinality(String) COMMENT 'VCOIN or an ISO 4217 code',
    amount Decimal(38, 4) COMMENT 'How much, always more than zero',
    debit Decimal(38, 4) COMMENT 'The amount if it is a debit, else zero',
    credit Decimal(38, 4) COMMENT 'The amount if it is a credit, else zero',
    code LowCardinality(String) COMMENT 'Kind of the transaction, for example reward',
    reference_type LowCardinality(String) COMMENT 'What it is about; empty if nothing',
    reference_id String COMMENT 'Id of what it is about',
    effective_at DateTime64(6, 'UTC') COMMENT 'When it takes effect in reports',
    effective_date Date32 COMMENT 'Day of effect, in UTC',
    posted_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    posted_date Date COMMENT 'Day of posting, in UTC',
    reverses Nullable(UUID) COMMENT 'The transaction that it undoes',
    captures Nullable(UUID) COMMENT 'The hold that it captured'
) AS
SELECT position, posting, side, transaction_id, account, asset, amount, debit, credit, code, reference_type,
    reference_id, effective_at, effective_date, posted_at, posted_date, reverses, captures
FROM ledger_entry_rows_once
WHERE position <= (SELECT max(position) FROM watermark_rows)
COMMENT 'Both sides of every posting up to the watermark';

CREATE OR REPLACE VIEW ledger_balances_daily (
    account String COMMENT 'Address of the account',
    asset LowCardinality(String) COMMENT 'VCOIN or an ISO 4217 code',
    day Date COMMENT 'Day of posting, in UTC; days without entries have no row',
    entries UInt64 COMMENT 'How many entries were posted that day',
    debits Decimal(38, 4) COMMENT 'Their debits',
    credits Decimal(38, 4) COMMENT 'Their credits',
    balance Decimal(38, 4) COMMENT 'Credits less debits of all days up to this one, whatever side the account grows on'
) AS
SELECT account, asset, posted_date AS day, count() AS entries,
    sum(debit) AS debits, sum(credit) AS credits,
    sum(sum(credit) - sum(debit)) OVER (PARTITION BY account, asset ORDER BY posted_date) AS balance
FROM ledger_entries
GROUP BY account, asset, posted_date
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'What moved on each account on each day, and its balance at the end of it';

CREATE OR REPLACE VIEW campaigns (
    campaign_id UUID COMMENT 'Id of the campaign',
    sponsor_id UUID COMMENT 'Whose it is',
    campaign_type String COMMENT 'What kind of campaign, in the words of the sponsor',
    title String COMMENT 'Its title',
    kpi_config String COMMENT 'Targets by the name of their metric, as JSON',
    status String COMMENT 'draft, published, paused, closing or closed',
    budget_vcoin Decimal(38, 4) COMMENT 'The most that the sponsor wants to fund',
    funded_vcoin Decimal(38, 4) COMMENT 'What was put into the escrow',
    paid_vcoin Decimal(38, 4) COMMENT 'What was paid out of it, fees included',
    returned_vcoin Decimal(38, 4) COMMENT 'What went back to the sponsor',
    start_at DateTime64(6, 'UTC') COMMENT 'When it starts',
    end_at DateTime64(6, 'UTC') COMMENT 'When it ends',
    created_at DateTime64(6, 'UTC') COMMENT 'When the draft was made',
    position UInt64 COMMENT 'The last event that touched it'
) AS
SELECT toUUIDOrZero(aggregate_id) AS campaign_id, sponsor_id,
    JSONExtractString(brief, 'campaign_type') AS campaign_type,
    JSONExtractString(brief, 'title') AS title,
    JSONExtractRaw(brief, 'kpi_config') AS kpi_config,
    status,
    toDecimal128OrZero(JSONExtractString(brief, 'budget_vcoin'), 4) AS budget_vcoin,
    funded_vcoin, paid_vcoin, returned_vcoin,
    parseDateTime64BestEffortOrZero(JSONExtractString(brief, 'start_at'), 6, 'UTC') AS start_at,
    parseDateTime64BestEffortOrZero(JSONExtractString(brief, 'end_at'), 6, 'UTC') AS end_at,
    created_at, last_position AS position
FROM (
    SELECT aggregate_id,
        toUUIDOrZero(anyIf(JSONExtractString(payload, 'sponsor'), event_type = 'campaign.created')) AS sponsor_id,
        argMaxIf(JSONExtractRaw(payload, 'brief'), position, event_type IN ('campaign.created', 'campaign.edited')) AS brief,
        argMaxIf(transform(event_type,
            ['campaign.created', 'campaign.published', 'campaign.paused', 'campaign.resumed', 'campaign.closing', 'campaign.closed'],
            ['draft', 'published', 'paused', 'published', 'closing', 'closed'], ''), position,
            event_type IN ('campaign.created', 'campaign.published', 'campaign.paused', 'campaign.resumed', 'campaign.closing',
                'campaign.closed')) AS status,
        sumIf(toDecimal128OrZero(JSONExtractString(payload, 'amount_vcoin'), 4), event_type = 'campaign.funded') AS funded_vcoin,
        sumIf(toDecimal128OrZero(JSONExtractString(payload, 'reward_vcoin'), 4), event_type = 'campaign.reward_paid') AS paid_vcoin,
        sumIf(toDecimal128OrZero(JSONExtractString(payload, 'returned_vcoin'), 4),
            event_type IN ('campaign.closing', 'campaign.closed')) AS returned_vcoin,
        min(recorded_at) AS created_at,
        max(position) AS last_position
    FROM events WHERE aggregate_type = 'campaign' GROUP BY aggregate_id
)
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'Campaigns as they are at the watermark';

CREATE OR REPLACE VIEW missions (
    mission_id UUID COMMENT 'Id of the mission',
    campaign_id UUID COMMENT 'Its campaign',
    mission_type String COMMENT 'What kind of mission, in the words of the sponsor',
    reward_vcoin Decimal(38, 4) COMMENT 'What a creator is paid for it, the fee included',
    status String COMMENT 'open or closed',
    open_call Bool COMMENT 'Whether every creator may take part without an invitation',
    places UInt64 COMMENT 'How many creators may be paid for it',
    places_taken Int64 COMMENT 'How many work on it or were paid',
    rewards_paid UInt64 COMMENT 'How many were paid',
    deadline DateTime64(6, 'UTC') COMMENT 'Until when work can be handed in',
    created_at DateTime64(6, 'UTC') COMMENT 'When it was added',
    position UInt64 COMMENT 'The last event that touched it'
) AS
SELECT mission_id, campaign_id, JSONExtractString(added, 'mission_type') AS mission_type,
    toDecimal128OrZero(JSONExtractString(added, 'reward_vcoin'), 4) AS reward_vcoin,
    if(closed, 'closed', 'open') AS status, open_call, JSONExtractUInt(added, 'places') AS places, places_taken, rewards_paid,
    parseDateTime64BestEffortOrZero(JSONExtractString(added, 'deadline'), 6, 'UTC') AS deadline,
    created_at, last_position AS position
FROM (
    SELECT toUUIDOrZero(JSONExtractString(payload, 'mission')) AS mission_id,
        toUUIDOrZero(any(aggregate_id)) AS campaign_id,
        anyIf(payload, event_type = 'campaign.mission_added') AS added,
        countIf(event_type = 'campaign.mission_closed') > 0 AS closed,
        countIf(event_type = 'campaign.mission_opened') > 0 AS open_call,
        toInt64(countIf(event_type = 'campaign.place_taken')) - toInt64(countIf(event_type = 'campaign.place_freed')) AS places_taken,
        countIf(event_type = 'campaign.reward_paid') AS rewards_paid,
        minIf(recorded_at, event_type = 'campaign.mission_added') AS created_at,
        max(position) AS last_position
    FROM events
    WHERE aggregate_type = 'campaign' AND event_type IN ('campaign.mission_added', 'campaign.mission_opened',
        'campaign.mission_closed', 'campaign.place_taken', 'campaign.place_freed', 'campaign.reward_paid')
    GROUP BY mission_id
)
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'Missions as they are at the watermark';

CREATE OR REPLACE VIEW creators (
    creator_id UUID COMMENT 'Id of the creator, a pseudonym',
    verification String COMMENT 'unverified, pending, verified or rejected',
    flags Int64 COMMENT 'How many suspicions against the user are open or confirmed; those about a campaign, a mission or a payout are not counted',
    rewards_paid UInt64 COMMENT 'How many rewards they were paid',
    earned_vcoin Decimal(38, 4) COMMENT 'What they earned, fees deducted',
    registered_at DateTime64(6, 'UTC') COMMENT 'When they registered'
) AS
SELECT creator_id, if(verification = '', 'unverified', verification) AS verification, flags,
    paid.rewards AS rewards_paid, toDecimal128(paid.net, 4) AS earned_vcoin, registered_at
FROM (
    SELECT toUUIDOrZero(aggregate_id) AS creator_id,
        anyIf(JSONExtractString(payload, 'role'), event_type = 'user.registered') AS role,
        argMaxIf(JSONExtractString(payload, 'verification'), position, event_type = 'user.verification_changed') AS verification,
        toInt64(countIf(event_type = 'user.flagged')) - toInt64(countIf(event_type = 'user.flag_cleared')) AS flags,
        min(recorded_at) AS registered_at
    FROM events WHERE aggregate_type = 'user' GROUP BY aggregate_id
) AS users
LEFT JOIN (
    SELECT toUUIDOrZero(JSONExtractString(payload, 'creator')) AS creator_id, count() AS rewards,
        sum(toDecimal128OrZero(JSONExtractString(payload, 'net_vcoin'), 4)) AS net
    FROM events WHERE aggregate_type = 'campaign' AND event_type = 'campaign.reward_paid' GROUP BY creator_id
) AS paid USING creator_id
WHERE role = 'creator'
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'Creators as they are at the watermark; nothing personal';

CREATE OR REPLACE VIEW fraud_signals (
    flag_id UUID COMMENT 'Id of the suspicion',
    source_type String COMMENT 'What it is about: user, campaign, assignment or payout',
    source_id UUID COMMENT 'Id of that',
    score UInt8 COMMENT 'How likely it is, from 0 to 100',
    reasons Array(String) COMMENT 'Why',
    status String COMMENT 'open, confirmed or dismissed',
    raised_at DateTime64(6, 'UTC') COMMENT 'When it was raised',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When somebody had looked into it',
    position UInt64 COMMENT 'The last event that touched it'
) AS
SELECT flag_id, JSONExtractString(raised, 'source_type') AS source_type,
    toUUIDOrZero(JSONExtractString(raised, 'source_id')) AS source_id,
    toUInt8(JSONExtractUInt(raised, 'score')) AS score,
    JSONExtract(raised, 'reasons', 'Array(String)') AS reasons,
    status, raised_at, resolved_at, last_position AS position
FROM (
    SELECT toUUIDOrZero(aggregate_id) AS flag_id,
        anyIf(payload, event_type = 'fraud_flag.raised') AS raised,
        argMaxIf(transform(event_type, ['fraud_flag.raised', 'fraud_flag.confirmed', 'fraud_flag.dismissed'],
            ['open', 'confirmed', 'dismissed'], ''), position,
            event_type IN ('fraud_flag.raised', 'fraud_flag.confirmed', 'fraud_flag.dismissed')) AS status,
        min(recorded_at) AS raised_at,
        maxOrNullIf(recorded_at, event_type IN ('fraud_flag.confirmed', 'fraud_flag.dismissed')) AS resolved_at,
        max(position) AS last_position
    FROM events WHERE aggregate_type = 'fraud_flag' GROUP BY aggregate_id
)
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'Suspicions of fraud as they are at the watermark';
