-- The whole schema, written once. `store::migrate` turns INTEGER, BLOB and the final STRICT into PostgreSQL's
-- words, so both databases have the same tables by construction.
--
-- Conventions: identifiers are 16-byte UUIDs; times are microseconds since 1970 UTC; `*_idx` is a keyed blind index
-- (HMAC, 16 bytes) of an identifier that is never stored in the clear; `sealed` is ciphertext under a subject's own
-- key; `version` grows with every change; `entry` is the ledger index that recorded the change.

-- Every subject's own data key, wrapped. Erasing a person empties `wrapped` for good.
CREATE TABLE subject_key (
    party_id      BLOB PRIMARY KEY,
    wrapped       BLOB,
    retain_until  INTEGER,
    destroyed_at  INTEGER
) STRICT;

CREATE TABLE party (
    id          BLOB PRIMARY KEY,
    operator    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    class       TEXT NOT NULL,
    doc_idx     BLOB,
    sealed      BLOB,
    flagged     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    import_id   BLOB,
    origin      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX party_by_document ON party (doc_idx, operator) WHERE doc_idx IS NOT NULL;

CREATE TABLE subscription (
    id                  BLOB PRIMARY KEY,
    operator            TEXT NOT NULL,
    party_id            BLOB NOT NULL,
    msisdn_idx          BLOB,
    kind                TEXT NOT NULL,
    state               TEXT NOT NULL,
    sealed              BLOB,
    lock_scope          TEXT,
    lock_setter         TEXT,
    lock_expires_at     INTEGER,
    frozen_at           INTEGER,
    opened_at           INTEGER NOT NULL,
    swapped_at          INTEGER,
    device_changed_at   INTEGER,
    contact_changed_at  INTEGER,
    owner_changed_at    INTEGER,
    port_at             INTEGER,
    locked_at           INTEGER,
    unlocked_at         INTEGER,
    forwarding_at       INTEGER,
    quarantined_at      INTEGER,
    version             INTEGER NOT NULL,
    import_id           BLOB,
    origin              BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX subscription_by_msisdn ON subscription (msisdn_idx) WHERE msisdn_idx IS NOT NULL AND state <> 'closed';
CREATE INDEX subscription_by_party ON subscription (party_id);

CREATE TABLE profile (
    id               BLOB PRIMARY KEY,
    operator         TEXT NOT NULL,
    subscription_id  BLOB,
    iccid_idx        BLOB NOT NULL,
    imsi_idx         BLOB,
    eid_idx          BLOB,
    imei_idx         BLOB,
    state            TEXT NOT NULL,
    live             INTEGER NOT NULL,
    sealed           BLOB,
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    import_id        BLOB,
    origin           BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX profile_by_iccid ON profile (iccid_idx);
CREATE INDEX profile_by_imsi ON profile (imsi_idx) WHERE imsi_idx IS NOT NULL;
CREATE INDEX profile_by_eid ON profile (eid_idx) WHERE eid_idx IS NOT NULL;
CREATE INDEX profile_by_imei ON profile (imei_idx) WHERE imei_idx IS NOT NULL;
CREATE INDEX profile_by_subscription ON profile (subscription_id);
CREATE INDEX profile_in_stock ON profile (operator, id) WHERE subscription_id IS NULL AND state = 'available';
-- Invariant 3 of the architecture, held by the database itself: never two live profiles on one line.
CREATE UNIQUE INDEX profile_live ON profile (subscription_id) WHERE live = 1;

-- Chips and phones, each once, whoever's profile sits in them.
CREATE TABLE euicc (
    eid_idx        BLOB PRIMARY KEY,
    eum            TEXT NOT NULL,
    first_seen_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE device (
    imei_idx       BLOB PRIMARY KEY,
    tac            TEXT NOT NULL,
    first_seen_at  INTEGER NOT NULL
) STRICT;
-- Where a profile sat before: written when a profile leaves a chip or a phone.
CREATE TABLE sitting (
    profile_id  BLOB NOT NULL,
    until_at    INTEGER NOT NULL,
    eid_idx     BLOB,
    imei_idx    BLOB,
    entry       INTEGER NOT NULL,
    PRIMARY KEY (profile_id, until_at)
) STRICT;
CREATE INDEX sitting_by_eid ON sitting (eid_idx) WHERE eid_idx IS NOT NULL;
CREATE INDEX sitting_by_imei ON sitting (imei_idx) WHERE imei_idx IS NOT NULL;

CREATE TABLE operation (
    id               BLOB PRIMARY KEY,
    operator         TEXT NOT NULL,
    subscription_id  BLOB,
    party_id         BLOB NOT NULL,
    kind             TEXT NOT NULL,
    channel          TEXT NOT NULL,
    actor_role       TEXT NOT NULL,
    actor            BLOB NOT NULL,
    shop             TEXT,
    terminal         TEXT,
    claim            TEXT,
    state            TEXT NOT NULL,
    exclusive        INTEGER NOT NULL,
    verdict          TEXT NOT NULL,
    reasons          TEXT NOT NULL,
    rules            TEXT NOT NULL,
    requirements     TEXT NOT NULL,
    policy_hash      BLOB NOT NULL,
    hold_until       INTEGER,
    on_timeout       TEXT,
    context          TEXT NOT NULL,
    evidence         TEXT NOT NULL,
    steps            TEXT NOT NULL,
    line_masked      TEXT NOT NULL,
    sealed           BLOB,
    requested_at     INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    entry            INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
-- Two thieves, or a thief and an owner, cannot both be moving one number.
CREATE UNIQUE INDEX operation_exclusive ON operation (subscription_id) WHERE exclusive = 1;
CREATE INDEX operation_by_subscription ON operation (subscription_id, requested_at);
CREATE INDEX operation_by_actor ON operation (actor, requested_at);
CREATE INDEX operation_by_time ON operation (requested_at);
CREATE INDEX operation_held ON operation (hold_until) WHERE hold_until IS NOT NULL;

-- Every decision with what it was decided from, so that it can be decided again.
CREATE TABLE decision (
    operation_id  BLOB NOT NULL,
    entry         INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    request       TEXT NOT NULL,
    facts         TEXT NOT NULL,
    verdict       TEXT NOT NULL,
    rules         TEXT NOT NULL,
    policy_hash   BLOB NOT NULL,
    PRIMARY KEY (operation_id, entry)
) STRICT;
CREATE INDEX decision_by_time ON decision (at);

-- What happened: to a line, a profile, an operation. Holds no personal data.
CREATE TABLE history (
    entry            INTEGER NOT NULL,
    ord              INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    subscription_id  BLOB,
    profile_id       BLOB,
    operation_id     BLOB,
    actor_role       TEXT NOT NULL,
    actor            BLOB,
    detail           TEXT NOT NULL,
    PRIMARY KEY (entry, ord)
) STRICT;
CREATE INDEX history_by_subscription ON history (subscription_id, entry) WHERE subscription_id IS NOT NULL;
CREATE INDEX history_by_profile ON history (profile_id, entry) WHERE profile_id IS NOT NULL;
CREATE INDEX history_by_operation ON history (operation_id, entry) WHERE operation_id IS NOT NULL;

-- A question to the owner: is this you?
CREATE TABLE approval (
    id            BLOB PRIMARY KEY,
    operation_id  BLOB NOT NULL,
    party_id      BLOB NOT NULL,
    number        INTEGER NOT NULL,
    state         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    decided_at    INTEGER,
    version       INTEGER NOT NULL
) STRICT;
CREATE INDEX approval_by_operation ON approval (operation_id);
CREATE INDEX approval_by_party ON approval (party_id, state);

-- Failed challenges, over all channels. A later success erases none of them.
CREATE TABLE attempt (
    entry            INTEGER NOT NULL,
    ord              INTEGER NOT NULL,
    subscription_id  BLOB NOT NULL,
    at               INTEGER NOT NULL,
    channel          TEXT NOT NULL,
    kind             TEXT NOT NULL,
    PRIMARY KEY (entry, ord)
) STRICT;
CREATE INDEX attempt_by_subscription ON attempt (subscription_id, at);

-- A second factor of a person.
CREATE TABLE factor (
    id            BLOB PRIMARY KEY,
    party_id      BLOB NOT NULL,
    kind          TEXT NOT NULL,
    sealed        BLOB NOT NULL,
    added_at      INTEGER NOT NULL,
    last_step     INTEGER NOT NULL,
    removed_at    INTEGER
) STRICT;
CREATE INDEX factor_by_party ON factor (party_id);

-- Effects that wait to leave. Nothing leaves before `entry` is in a signed tree.
CREATE TABLE outbox (
    id            BLOB PRIMARY KEY,
    operation_id  BLOB,
    party_id      BLOB,
    kind          TEXT NOT NULL,
    payload       TEXT NOT NULL,
    sealed        BLOB,
    due_at        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    done_at       INTEGER,
    outcome       TEXT,
    entry         INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE done_at IS NULL;
CREATE INDEX outbox_by_operation ON outbox (operation_id);

-- The same key from the same sender gets the same answer, also after a crash.
CREATE TABLE idempotency (
    key      BLOB PRIMARY KEY,
    request  BLOB NOT NULL,
    subject  BLOB NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_by_time ON idempotency (at);

CREATE TABLE token (
    id          BLOB PRIMARY KEY,
    hash        BLOB NOT NULL,
    role        TEXT NOT NULL,
    operator    TEXT,
    name        TEXT NOT NULL,
    party_id    BLOB,
    shop        TEXT,
    terminal    TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    mac         BLOB NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX token_by_hash ON token (hash);

CREATE TABLE event (
    source       TEXT NOT NULL,
    ext_id       TEXT NOT NULL,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    operator     TEXT,
    msisdn_idx   BLOB,
    received_at  INTEGER NOT NULL,
    sealed       BLOB NOT NULL,
    PRIMARY KEY (source, ext_id)
) STRICT;
CREATE INDEX event_by_line ON event (msisdn_idx, at) WHERE msisdn_idx IS NOT NULL;

CREATE TABLE event_quarantine (
    batch        BLOB NOT NULL,
    line         INTEGER NOT NULL,
    source       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    sealed       BLOB NOT NULL,
    received_at  INTEGER NOT NULL,
    PRIMARY KEY (batch, line)
) STRICT;

-- The newest of each signal that a decision looks at, so that it costs one row and not a search through events.
CREATE TABLE line_signal (
    msisdn_idx         BLOB PRIMARY KEY,
    attach_at          INTEGER,
    attach_imei_idx    BLOB,
    imei_changed_at    INTEGER,
    swap_at            INTEGER,
    port_request_at    INTEGER,
    forwarding_at      INTEGER,
    contact_at         INTEGER,
    password_reset_at  INTEGER,
    factor_added_at    INTEGER,
    login_at           INTEGER,
    login_failed_at    INTEGER,
    bank_otps          BLOB,
    malware_at         INTEGER,
    caller_failed_at   INTEGER
) STRICT;

-- How often each rule was asked and hit, for the brake on rules that would hit too many lines.
CREATE TABLE brake (
    rule         TEXT PRIMARY KEY,
    asked        INTEGER NOT NULL,
    hit          INTEGER NOT NULL,
    disarmed_at  INTEGER
) STRICT;

CREATE TABLE import_run (
    id          BLOB PRIMARY KEY,
    operator    TEXT NOT NULL,
    file        TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    report      TEXT NOT NULL,
    entry       INTEGER NOT NULL
) STRICT;
CREATE INDEX import_by_operator ON import_run (operator, started_at);
-- The rows of an import are recorded on the ledger by the digest of a chunk of them.
CREATE TABLE import_chunk (
    import_id  BLOB NOT NULL,
    kind       TEXT NOT NULL,
    n          INTEGER NOT NULL,
    first_id   BLOB NOT NULL,
    last_id    BLOB NOT NULL,
    rows       INTEGER NOT NULL,
    digest     BLOB NOT NULL,
    PRIMARY KEY (import_id, kind, n)
) STRICT;

-- The ledger's entries, in order and without gaps: written in the transaction of what they record.
CREATE TABLE ledger_entry (
    idx   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    leaf  BLOB NOT NULL,
    body  BLOB NOT NULL
) STRICT;
-- The one latest checkpoint, moved by compare-and-swap on its size.
CREATE TABLE ledger_checkpoint (
    id    INTEGER PRIMARY KEY,
    size  INTEGER NOT NULL,
    root  BLOB NOT NULL,
    note  TEXT NOT NULL,
    at    INTEGER NOT NULL
) STRICT;
