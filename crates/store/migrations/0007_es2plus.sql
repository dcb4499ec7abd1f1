-- ES2+: whose client certificate orders for whom; and what the signs of a cloned chip are counted by.

-- One row for every client certificate that may order.
CREATE TABLE es2plus_caller (
    certificate  BLOB PRIMARY KEY,
    owner        TEXT NOT NULL,
    name         TEXT NOT NULL,
    callback     TEXT,
    added_at     INTEGER NOT NULL,
    mac          BLOB NOT NULL
) STRICT;
CREATE INDEX es2plus_caller_by_owner ON es2plus_caller (owner);

CREATE INDEX smdp_order_by_eid ON smdp_order (eid_idx) WHERE state = 'downloaded';
CREATE INDEX smdp_session_by_eid ON smdp_session (eid_idx, expires_at);
CREATE INDEX smdp_order_by_operation ON smdp_order (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX smdp_order_by_type ON smdp_order (profile_type, operator);
