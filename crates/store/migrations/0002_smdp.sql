-- The SM-DP+: profiles, their orders, the sessions of chips. Everything that identifies or could be used stands
-- sealed under the installation's common key; `*_idx` are keyed blind indexes.

-- One row for every profile, in stock or on its way to a chip.
CREATE TABLE smdp_order (
    id               BLOB PRIMARY KEY,
    operator         TEXT NOT NULL,
    profile_type     TEXT NOT NULL,
    operation_id     BLOB,
    iccid_idx        BLOB NOT NULL,
    matching_idx     BLOB,
    eid_idx          BLOB,
    default_for_eid  INTEGER NOT NULL,
    state            TEXT NOT NULL,
    sealed           BLOB NOT NULL,
    expires_at       INTEGER,
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX smdp_order_by_iccid ON smdp_order (iccid_idx);
CREATE UNIQUE INDEX smdp_order_by_matching ON smdp_order (matching_idx) WHERE matching_idx IS NOT NULL;
CREATE INDEX smdp_order_default ON smdp_order (eid_idx) WHERE default_for_eid = 1;
CREATE INDEX smdp_order_in_stock ON smdp_order (profile_type, id) WHERE state = 'available';

-- Sessions in which a chip has proven itself. They outlive the connection by days, for the install result.
CREATE TABLE smdp_session (
    tid_idx     BLOB PRIMARY KEY,
    order_id    BLOB,
    eid_idx     BLOB NOT NULL,
    phase       TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX smdp_session_by_end ON smdp_session (expires_at);

-- The profile itself (`profile`) and the same under random keys, ready to be bound (`prepared`). Erased at the end.
CREATE TABLE smdp_package (
    order_id  BLOB NOT NULL,
    kind      TEXT NOT NULL,
    sealed    BLOB NOT NULL,
    PRIMARY KEY (order_id, kind)
) STRICT;

-- Keyed indexes of the remote-management keys of imported profiles: none may be in two.
CREATE TABLE smdp_remote_key (
    key_idx   BLOB NOT NULL,
    order_id  BLOB NOT NULL,
    PRIMARY KEY (key_idx, order_id)
) STRICT;

-- Signed notifications that were taken over, so that one that is sent again changes nothing.
CREATE TABLE smdp_notification (
    eid_idx     BLOB NOT NULL,
    digest_idx  BLOB NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (eid_idx, digest_idx)
) STRICT;

-- The last sighting of each chip, for the signs that its identity is used twice.
CREATE TABLE smdp_chip (
    eid_idx  BLOB PRIMARY KEY,
    sealed   BLOB NOT NULL,
    seen_at  INTEGER NOT NULL
) STRICT;

-- What gets nothing: `all`, `operator:456-01`, `eid:<index>`, `number:<index>`, `tac:35290611`, `eum:<key id>`.
CREATE TABLE smdp_freeze (
    key     TEXT PRIMARY KEY NOT NULL,
    reason  TEXT NOT NULL,
    set_at  INTEGER NOT NULL
) STRICT;
