-- The Open Gateway (CAMARA) side: who may ask about lines, with whose consent, who asked, and who is told of what.

-- A client of the gateway: a bank, a shop. `mac` vouches for the row under the installation's key.
CREATE TABLE gateway_client (
    id         TEXT PRIMARY KEY NOT NULL,
    settings   TEXT NOT NULL,
    sandbox    INTEGER NOT NULL,
    frozen_at  INTEGER,
    mac        BLOB NOT NULL
) STRICT;

-- What the gateway knows of a line beyond the registry's row. `sealed` is the owner's record, under their own key.
CREATE TABLE gateway_line (
    subscription_id       BLOB PRIMARY KEY,
    class                 TEXT NOT NULL,
    activated_at          INTEGER,
    device_first_seen_at  INTEGER,
    holder_since_at       INTEGER,
    holders               TEXT NOT NULL,
    contract              TEXT,
    id_document_required  INTEGER NOT NULL,
    forwarding            TEXT NOT NULL,
    sms                   TEXT NOT NULL,
    sealed                BLOB,
    sandbox               INTEGER NOT NULL
) STRICT;
CREATE INDEX gateway_line_sandbox ON gateway_line (sandbox) WHERE sandbox = 1;

-- What the subscriber agreed to, for one purpose; `client_id` is empty where it holds for every client.
CREATE TABLE gateway_consent (
    subscription_id  BLOB NOT NULL,
    purpose          TEXT NOT NULL,
    client_id        TEXT NOT NULL,
    state            TEXT NOT NULL,
    basis            TEXT NOT NULL,
    changed_at       INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, purpose, client_id)
) STRICT;

-- Refresh tokens, by hash. All that came of one consent share a family, and end together.
CREATE TABLE gateway_grant (
    hash             BLOB PRIMARY KEY,
    family           BLOB NOT NULL,
    client_id        TEXT NOT NULL,
    subscription_id  BLOB NOT NULL,
    scopes           TEXT NOT NULL,
    purpose          TEXT NOT NULL,
    network          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    used_at          INTEGER,
    revoked_at       INTEGER
) STRICT;
CREATE INDEX gateway_grant_by_family ON gateway_grant (family);

-- Who wants to be told of a line's swaps. `sealed` holds where to and with which credential.
CREATE TABLE gateway_watch (
    id                BLOB PRIMARY KEY,
    client_id         TEXT NOT NULL,
    subscription_id   BLOB NOT NULL,
    three_legged      INTEGER NOT NULL,
    sealed            BLOB NOT NULL,
    starts_at         INTEGER NOT NULL,
    expires_at        INTEGER,
    token_expires_at  INTEGER,
    events_max        INTEGER,
    events_sent       INTEGER NOT NULL,
    seen_at           INTEGER NOT NULL,
    state             TEXT NOT NULL
) STRICT;
CREATE INDEX gateway_watch_by_client ON gateway_watch (client_id, id);
CREATE INDEX gateway_watch_active ON gateway_watch (state) WHERE state = 'ACTIVE';

-- Events on their way to a client. Given up ones stay, with the reason: the dead letters.
CREATE TABLE gateway_event (
    id         BLOB PRIMARY KEY,
    watch_id   BLOB NOT NULL,
    client_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    done_at    INTEGER,
    outcome    TEXT
) STRICT;
CREATE INDEX gateway_event_due ON gateway_event (due_at) WHERE done_at IS NULL;
CREATE INDEX gateway_event_by_client ON gateway_event (client_id, id);

-- Who asked about a line.
CREATE TABLE gateway_query (
    id               BLOB PRIMARY KEY,
    subscription_id  BLOB NOT NULL,
    client_id        TEXT NOT NULL,
    api              TEXT NOT NULL,
    purpose          TEXT NOT NULL,
    at               INTEGER NOT NULL
) STRICT;
CREATE INDEX gateway_query_by_line ON gateway_query (subscription_id, id);
