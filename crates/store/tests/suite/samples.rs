//! Rows to write. Row `n` is always the same; the bits of `n` say which optional columns it has, so that a run of
//! numbers covers every mixture.

use simwarden_model::{
    ApprovalState, Channel, Claim, Id, LineKind, LockScope, LockSetter, OperationKind, OperationState,
    PartyClass, PartyKind, ProfileState, Role, SubscriptionState, Timestamp,
};
use simwarden_store::BlindIndex;
use simwarden_store::records::approval::Approval;
use simwarden_store::records::attempt::Attempt;
use simwarden_store::records::decision::DecisionRecord;
use simwarden_store::records::entry::Entry;
use simwarden_store::records::event::EventRecord;
use simwarden_store::records::factor::Factor;
use simwarden_store::records::history::HistoryItem;
use simwarden_store::records::idempotency::Remembered;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::outbox::OutboxItem;
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::signal::LineSignal;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::records::token::Token;

/// Texts that have broken other people's databases.
pub const NASTY: &[&str] = &[
    "",
    "'; DROP TABLE party; --",
    "\" OR \"\"=\"",
    "Robert'); DELETE FROM operation WHERE ('1'='1",
    "$1 $2 ?1 :name @name KEYS %s {} \\x00 \\",
    "ភាសាខ្មែរ ០១២ 中文 \u{1F98A} e\u{301}",
    "line\r\nbreak\ttab \u{7f} \u{200b}\u{feff}\u{202e}",
    "/* comment */ UNION SELECT * FROM token",
];

pub fn nasty(n: u64) -> String {
    format!("{}{n}", NASTY[n as usize % NASTY.len()])
}

pub fn id<K>(n: u64) -> Id<K> {
    let mut bytes = [0x5a; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    Id::from_bytes(bytes)
}

/// Index `n` of a column.
pub fn index(column: u8, n: u64) -> BlindIndex {
    let mut bytes = [column; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    BlindIndex::from_bytes(bytes)
}

pub fn at(n: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + n as i64)
}

pub fn hash(n: u64) -> [u8; 32] {
    let mut hash = [0xa7; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    hash
}

fn bytes(n: u64) -> Vec<u8> {
    let mut bytes = vec![0, 0xff, b'\'', b'\\', 0x80];
    bytes.extend(n.to_le_bytes());
    bytes.truncate(n as usize % 14);
    bytes
}

fn pick<T: Copy>(all: &[T], n: u64) -> T {
    all[n as usize % all.len()]
}

/// The value when bit `bit` of `n` is set.
fn some<T>(n: u64, bit: u32, value: T) -> Option<T> {
    (n >> bit & 1 == 1).then_some(value)
}

pub fn party(n: u64) -> Party {
    Party {
        id: id(n),
        operator: nasty(n),
        kind: pick(PartyKind::ALL, n),
        class: pick(PartyClass::ALL, n),
        doc_idx: some(n, 0, index(1, n)),
        sealed: some(n, 1, bytes(n)),
        flagged: n & 4 == 4,
        created_at: at(n),
        version: 1,
        import_id: some(n, 3, id(n + 7)),
    }
}

pub fn line(n: u64) -> Subscription {
    Subscription {
        id: id(n),
        operator: nasty(n),
        party_id: id(n / 2),
        msisdn_idx: some(n, 0, index(2, n)),
        kind: pick(LineKind::ALL, n),
        state: pick(SubscriptionState::ALL, n),
        sealed: some(n, 1, bytes(n)),
        lock_scope: some(n, 2, pick(LockScope::ALL, n)),
        lock_setter: some(n, 2, pick(LockSetter::ALL, n)),
        lock_expires_at: some(n, 3, at(n + 1)),
        frozen_at: some(n, 4, at(n + 2)),
        opened_at: at(n),
        swapped_at: some(n, 5, at(n + 3)),
        device_changed_at: some(n, 0, at(n + 4)),
        contact_changed_at: some(n, 1, at(n + 5)),
        owner_changed_at: some(n, 2, at(n + 6)),
        port_at: some(n, 3, at(n + 7)),
        locked_at: some(n, 4, at(n + 8)),
        unlocked_at: some(n, 5, at(n + 9)),
        forwarding_at: some(n, 0, at(n + 10)),
        quarantined_at: some(n, 1, at(n + 11)),
        version: 1,
        import_id: some(n, 2, id(n)),
    }
}

pub fn profile(n: u64) -> Profile {
    Profile {
        id: id(n),
        operator: nasty(n),
        subscription_id: some(n, 0, id(n)),
        iccid_idx: index(3, n),
        imsi_idx: some(n, 1, index(4, n)),
        eid_idx: some(n, 2, index(5, n / 8)),
        imei_idx: some(n, 3, index(6, n / 16)),
        state: pick(ProfileState::ALL, n),
        live: n & 1 == 1,
        sealed: some(n, 4, bytes(n)),
        created_at: at(n),
        version: 1,
        import_id: some(n, 5, id(n)),
    }
}

pub fn operation(n: u64) -> Operation {
    Operation {
        id: id(n),
        operator: nasty(n),
        subscription_id: some(n, 0, id(n)),
        party_id: id(n),
        kind: pick(OperationKind::ALL, n),
        channel: pick(Channel::ALL, n),
        actor_role: pick(Role::ALL, n),
        actor: id(n / 4),
        shop: some(n, 1, nasty(n)),
        terminal: some(n, 2, nasty(n + 1)),
        claim: some(n, 3, pick(Claim::ALL, n)),
        state: pick(OperationState::ALL, n),
        exclusive: n & 1 == 1,
        verdict: nasty(n + 2),
        reasons: nasty(n + 3),
        rules: nasty(n + 4),
        requirements: nasty(n + 5),
        policy_hash: bytes(n),
        hold_until: some(n, 4, at(n + 1)),
        on_timeout: some(n, 4, nasty(n + 6)),
        context: nasty(n + 7),
        evidence: nasty(n),
        steps: nasty(n + 1),
        line_masked: nasty(n + 2),
        sealed: some(n, 5, bytes(n)),
        requested_at: at(n),
        updated_at: at(n + 1),
        entry: n as i64,
        version: 1,
    }
}

pub fn decision(n: u64) -> DecisionRecord {
    DecisionRecord {
        operation_id: id(n / 3),
        entry: n as i64,
        at: at(n),
        request: nasty(n),
        facts: nasty(n + 1),
        verdict: nasty(n + 2),
        rules: nasty(n + 3),
        policy_hash: bytes(n),
    }
}

pub fn history(n: u64) -> HistoryItem {
    HistoryItem {
        entry: (n / 3) as i64,
        ord: (n % 3) as i64,
        at: at(n),
        kind: nasty(n),
        subscription_id: some(n, 0, id(0)),
        profile_id: some(n, 1, id(0)),
        operation_id: some(n, 2, id(0)),
        actor_role: pick(Role::ALL, n),
        actor: some(n, 3, id(n)),
        detail: nasty(n + 1),
    }
}

pub fn approval(n: u64) -> Approval {
    Approval {
        id: id(n),
        operation_id: id(n / 4),
        party_id: id(n / 8),
        number: 10 + (n % 90) as i64,
        state: pick(ApprovalState::ALL, n),
        created_at: at(n),
        expires_at: at(n + 60),
        decided_at: some(n, 0, at(n + 1)),
        version: 1,
    }
}

pub fn attempt(n: u64) -> Attempt {
    Attempt {
        entry: n as i64,
        ord: 0,
        subscription_id: id(n / 5),
        at: at(n),
        channel: pick(Channel::ALL, n),
        kind: nasty(n),
    }
}

pub fn factor(n: u64) -> Factor {
    Factor {
        id: id(n),
        party_id: id(n / 2),
        kind: nasty(n),
        sealed: bytes(n),
        added_at: at(n),
        last_step: 0,
        removed_at: some(n, 2, at(n + 1)),
    }
}

pub fn outbox(n: u64) -> OutboxItem {
    OutboxItem {
        id: id(n),
        operation_id: some(n, 0, id(n / 4)),
        party_id: some(n, 1, id(n)),
        kind: nasty(n % 2),
        payload: nasty(n),
        sealed: some(n, 2, bytes(n)),
        due_at: at(n),
        attempts: 0,
        done_at: None,
        outcome: None,
        entry: n as i64,
    }
}

pub fn remembered(n: u64) -> Remembered {
    Remembered {
        key: index(7, n),
        request: hash(n),
        subject: bytes(n),
        at: at(n),
    }
}

pub fn token(n: u64) -> Token {
    Token {
        id: id(n),
        hash: hash(n),
        role: pick(Role::ALL, n),
        operator: some(n, 0, nasty(n)),
        name: nasty(n + 1),
        party_id: some(n, 1, id(n)),
        shop: some(n, 2, nasty(n + 2)),
        terminal: some(n, 3, nasty(n + 3)),
        created_at: at(n),
        expires_at: at(n + 9),
        mac: [9; 32],
        revoked_at: some(n, 4, at(n + 3)),
    }
}

pub fn subject_key(n: u64) -> SubjectKeyRow {
    SubjectKeyRow {
        party_id: id(n),
        wrapped: some(n, 0, bytes(n)),
        retain_until: some(n, 1, at(n)),
        destroyed_at: some(n, 2, at(n + 1)),
    }
}

pub fn event(n: u64) -> EventRecord {
    EventRecord {
        source: nasty(0),
        ext_id: nasty(n),
        at: at(n),
        kind: nasty(n + 1),
        operator: some(n, 0, nasty(n + 2)),
        msisdn_idx: some(n, 1, index(2, 0)),
        received_at: at(n + 5),
        sealed: bytes(n),
    }
}

pub fn entry(n: u64) -> Entry {
    Entry {
        index: n as i64,
        at: at(n),
        kind: nasty(n),
        leaf: hash(n),
        body: bytes(n),
    }
}

/// A signal out of up to fourteen small times.
pub fn signal(times: &[Option<u8>]) -> LineSignal {
    let time = |n: usize| times.get(n).copied().flatten().map(|t| at(u64::from(t)));
    LineSignal {
        attach_at: time(0),
        attach_imei_idx: times
            .get(1)
            .copied()
            .flatten()
            .filter(|_| time(0).is_some())
            .map(|t| index(6, u64::from(t))),
        imei_changed_at: time(2),
        swap_at: time(3),
        port_request_at: time(4),
        forwarding_at: time(5),
        contact_at: time(6),
        password_reset_at: time(7),
        factor_added_at: time(8),
        login_at: time(9),
        login_failed_at: time(10),
        bank_otps: time(11)
            .map(simwarden_store::records::recent::RecentTimes::once)
            .unwrap_or_default(),
        malware_at: time(12),
        caller_failed_at: time(13),
    }
}
