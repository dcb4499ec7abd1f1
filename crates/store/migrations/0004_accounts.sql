-- Accounts: who may sign in, with which passkeys, where they are signed in, and how often somebody guessed. What is
-- personal stands sealed: under the subject's own key for a subscriber, under the installation's for staff. `mac` is
-- over what gives power; a row that somebody made without the master key is not believed.

CREATE TABLE account (
    id            BLOB PRIMARY KEY,
    login_idx     BLOB,
    role          TEXT NOT NULL,
    operator      TEXT,
    party_id      BLOB,
    shop          TEXT,
    terminal      TEXT,
    sealed        BLOB NOT NULL,
    invite_idx    BLOB,
    invite_until  INTEGER,
    password_at   INTEGER,
    password_due  TEXT,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER,
    mac           BLOB NOT NULL,
    version       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_by_login ON account (login_idx) WHERE login_idx IS NOT NULL;
CREATE UNIQUE INDEX account_by_invite ON account (invite_idx) WHERE invite_idx IS NOT NULL;
CREATE INDEX account_by_party ON account (party_id) WHERE party_id IS NOT NULL;

CREATE TABLE passkey (
    id          BLOB PRIMARY KEY,
    account_id  BLOB NOT NULL,
    cred_idx    BLOB NOT NULL,
    synced      INTEGER NOT NULL,
    attested    INTEGER NOT NULL,
    counter     INTEGER NOT NULL,
    sealed      BLOB NOT NULL,
    added_at    INTEGER NOT NULL,
    used_at     INTEGER,
    suspect_at  INTEGER,
    removed_at  INTEGER,
    mac         BLOB NOT NULL,
    version     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX passkey_by_credential ON passkey (cred_idx);
CREATE INDEX passkey_by_account ON passkey (account_id);

-- Only hashes of the secrets are stored. `before_hash` is the secret before the last rotation: whoever shows it later
-- has stolen it, or was stolen from.
CREATE TABLE session (
    id           BLOB PRIMARY KEY,
    account_id   BLOB NOT NULL,
    passkey_id   BLOB,
    device_idx   BLOB NOT NULL,
    hash         BLOB NOT NULL,
    before_hash  BLOB,
    how          TEXT NOT NULL,
    sealed       BLOB NOT NULL,
    since        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    rotated_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    ended_why    TEXT,
    mac          BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX session_by_hash ON session (hash);
CREATE INDEX session_by_before ON session (before_hash) WHERE before_hash IS NOT NULL;
CREATE INDEX session_by_account ON session (account_id, created_at);

-- Challenges that were answered: none takes a second answer. The challenge itself travels sealed with its asker, so
-- that asking for one writes nothing.
CREATE TABLE ceremony (
    id          BLOB PRIMARY KEY,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX ceremony_by_end ON ceremony (expires_at);

-- How often somebody guessed, by keyed marks of account, address, network and device.
CREATE TABLE guess (
    key      BLOB PRIMARY KEY,
    guesses  INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX guess_by_time ON guess (last_at);

-- Sign-ins that succeeded: what the next one is compared with.
CREATE TABLE sign_in (
    account_id   BLOB NOT NULL,
    at           INTEGER NOT NULL,
    device_idx   BLOB NOT NULL,
    network_idx  BLOB NOT NULL,
    agent        TEXT NOT NULL,
    quarter      INTEGER NOT NULL,
    country      TEXT,
    PRIMARY KEY (account_id, at)
) STRICT;
CREATE INDEX sign_in_by_time ON sign_in (at);
CREATE INDEX sign_in_by_device ON sign_in (account_id, device_idx, at);

CREATE TABLE recovery_code (
    account_id  BLOB NOT NULL,
    code_idx    BLOB NOT NULL,
    used_at     INTEGER,
    PRIMARY KEY (account_id, code_idx)
) STRICT;
