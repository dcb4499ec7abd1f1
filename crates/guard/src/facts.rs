//! Everything that a decision may look at: plain data, gathered once, stored with the decision.
//!
//! `Facts::default()` knows nothing and therefore decides as strictly as possible. Gather with
//! [`Facts::unremarkable`] only where a source was really asked and had nothing to report. Fields left out of the
//! JSON are unknown; unknown fields are refused.
//!
//! The groups below are what rules read as `context.<group>.<fact>`, ages in whole minutes. `weak` is the exception:
//! it can be recorded, and no rule can read it.

use crate::fact::{Fact, RecentRisk, RiskCount, RiskFlag, SafeCount, SafeFlag, StaleRisk, Stored};
use serde::{Deserialize, Serialize};

macro_rules! fact_groups {
    ($( $(#[doc = $group_text:literal])+ $Group:ident $group:ident {
        $( $(#[doc = $text:literal])+ $name:ident: $Kind:ident ),+ $(,)?
    } )+) => {
        $(
            $(#[doc = $group_text])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $Group { $( $(#[doc = $text])+ pub $name: $Kind, )+ }
        )+

        /// Everything that a decision may look at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Facts {
            $( $(#[doc = $group_text])+ pub $group: $Group, )+
            /// What was offered as proof and never counts as one.
            pub weak: Weak,
        }

        /// Every fact that a rule can read, group by group.
        pub static CATALOGUE: &[Fact] = &[ $( $(
            Fact {
                group: stringify!($group),
                name: stringify!($name),
                kind: crate::fact::Kind::$Kind,
                text: concat!($($text),+),
                seen: |facts| facts.$group.$name.seen(crate::fact::Kind::$Kind),
                set: |facts, datum| facts.$group.$name = Stored::store(datum),
                forget: |facts| facts.$group.$name = Default::default(),
            },
        )+ )+ ];
    };
}

fact_groups! {
    /// The line that the operation is about.
    Line line {
        /// The line is prepaid.
        prepaid: RiskFlag,
        /// The line is postpaid.
        postpaid: RiskFlag,
        /// The line is exempt from limits on lines per person: data only, machine, corporate.
        limit_exempt: SafeFlag,
        /// The line existed before the limit on lines per person and may be kept.
        grandfathered: SafeFlag,
        /// The line is frozen by a case, a refusal of the owner or an authority.
        frozen: RiskFlag,
        /// The line is suspended.
        suspended: RiskFlag,
        /// The line is registered in the name of the person who asks.
        in_requesters_name: SafeFlag,
        /// The line is not registered in anybody's name.
        unregistered: RiskFlag,
        /// Minutes since the line was registered.
        registration_age: RecentRisk,
        /// Minutes since the number last moved to another profile or chip.
        swap_age: RecentRisk,
        /// Minutes since the line was last seen for the first time in another phone.
        device_change_age: RecentRisk,
        /// Minutes since the contact of record last changed.
        contact_change_age: RecentRisk,
        /// Minutes since the line last changed its owner.
        owner_change_age: RecentRisk,
        /// Minutes since the number came in from another operator.
        port_in_age: RecentRisk,
        /// Minutes since a lock was taken away.
        unlock_age: RecentRisk,
        /// Minutes since the number was given up by its last owner.
        given_up_age: RecentRisk,
        /// Warnings sent to the owner within the last 7 days.
        warnings_7d: SafeCount,
        /// Another operation that moves this number is under way.
        other_operation_open: RiskFlag,
    }

    /// Locks in force on the line; an expired lock is not in force.
    Lock lock {
        /// The owner locked the line against moving to another profile, chip, phone or owner.
        owner_swap: RiskFlag,
        /// The owner locked the number against leaving for another operator.
        owner_port: RiskFlag,
        /// The owner locked the line against every sensitive operation.
        owner_all: RiskFlag,
        /// The operator locked the line against moving.
        operator_swap: RiskFlag,
        /// The operator locked the number against leaving.
        operator_port: RiskFlag,
        /// A court or regulator ordered that nothing be changed.
        authority: RiskFlag,
    }

    /// The person who owns the line, or asks to own one.
    Subscriber subscriber {
        /// A child.
        minor: RiskFlag,
        /// A visitor with leave to stay for less than 60 days.
        tourist: RiskFlag,
        /// The visitor's leave to stay has ended.
        stay_expired: RiskFlag,
        /// A foreigner.
        foreigner: RiskFlag,
        /// A company, ministry or other legal person.
        corporate: RiskFlag,
        /// The line belongs to a machine.
        machine: RiskFlag,
        /// A person whom the law protects specially: welfare recipients, the old, the ill.
        vulnerable: RiskFlag,
        /// A person whom thieves seek out: officials, traders, journalists.
        high_value: RiskFlag,
        /// A survivor of violence at home whom a safe-connection rule covers.
        survivor: SafeFlag,
        /// The identity is flagged by the national register or by fraud cases.
        identity_flagged: RiskFlag,
        /// The identity was found alive and valid in the national register.
        identity_verified: SafeFlag,
        /// Active lines on this document, over all operators, without exempt ones.
        lines_on_document: RiskCount,
        /// Active lines at this operator on this document, without exempt ones.
        lines_at_operator: RiskCount,
        /// Lines of other identities whose enrolled face is this face.
        face_cluster_lines: RiskCount,
        /// Lines registered on this document in the last 24 hours.
        registrations_24h: RiskCount,
    }

    /// Who asks, with what record.
    Actor actor {
        /// The agent works in an interaction in which the customer has been authenticated.
        interaction_authenticated: SafeFlag,
        /// A queue ticket or case belongs to the request.
        has_ticket: SafeFlag,
        /// The agent opened the subscriber's record before the customer was authenticated.
        looked_before_authenticated: RiskFlag,
        /// The agent's operations that move numbers, in the last hour.
        operations_1h: RiskCount,
        /// The agent's operations that move numbers, in the last 24 hours.
        operations_24h: RiskCount,
        /// The agent's overrides in the last 24 hours.
        overrides_24h: RiskCount,
        /// The request itself overrides a rule of the house.
        is_override: RiskFlag,
        /// The shop's operations that move numbers, in the last 24 hours.
        shop_operations_24h: RiskCount,
        /// The terminal's operations that move numbers, in the last hour.
        terminal_operations_1h: RiskCount,
        /// Minutes since the terminal's last operation that succeeded.
        terminal_success_age: RecentRisk,
        /// The terminal stands inside the district it is licensed for.
        in_geofence: SafeFlag,
        /// The request comes inside the agent's shift and the shop's hours.
        in_shift: SafeFlag,
        /// The terminal is a registered one, bound by its own key.
        terminal_known: SafeFlag,
        /// The line's home district is another than the shop's.
        out_of_district: RiskFlag,
        /// Different lines moved to this chip or phone by the same agent, ever.
        same_target_lines: RiskCount,
        /// The requester is also among the approvers.
        approver_is_requester: RiskFlag,
        /// The dealer or shop stands under a sanction.
        sanctioned: RiskFlag,
    }

    /// The session in which a self-service request came.
    Session session {
        /// The device has not been used by this account before.
        new_device: RiskFlag,
        /// The network (autonomous system) has not been used by this account before.
        new_network: RiskFlag,
        /// The country differs from where the line is attached.
        country_mismatch: RiskFlag,
        /// Minutes since the account's password was reset.
        password_reset_age: RecentRisk,
        /// Minutes since a passkey or authenticator was added to the account.
        factor_added_age: RecentRisk,
        /// The password is on a list of leaked ones.
        password_leaked: RiskFlag,
    }

    /// What the network and other sources say.
    Signals signals {
        /// Minutes since the old phone was last attached to the network.
        old_device_attach_age: RecentRisk,
        /// Minutes since call forwarding was set.
        forwarding_age: RecentRisk,
        /// One-time codes of banks that reached the line within the last hour.
        otp_1h: RiskCount,
        /// Failed challenges about this line, over all channels, in the last 24 hours.
        failed_24h: RiskCount,
        /// Shops, agents and accounts that tried this line in the last 24 hours.
        tried_by_24h: RiskCount,
        /// Minutes since the last failed challenge.
        failed_age: RecentRisk,
        /// Approval prompts sent to the owner within the last 10 minutes.
        prompts_10m: RiskCount,
        /// The owner refused this operation.
        owner_refused: RiskFlag,
        /// An unknown caller is speaking with the line at this moment.
        call_in_progress: RiskFlag,
        /// Lock requests about this line in the last 24 hours.
        lock_requests_24h: RiskCount,
        /// The same eSIM is attached in two places at once.
        attached_twice: RiskFlag,
        /// Activations in the cell, in the last hour.
        cell_activations_1h: RiskCount,
        /// An alert about this line is open.
        alert_open: RiskFlag,
    }

    /// The chip and phone that the profile would go to.
    Target target {
        /// The chip has carried a line of this subscriber before.
        eid_known: SafeFlag,
        /// The chip is the one that the order names.
        eid_as_ordered: SafeFlag,
        /// Lines of other owners on the chip.
        eid_other_owners: RiskCount,
        /// Lines put on the chip in the last 24 hours.
        eid_lines_24h: RiskCount,
        /// The chip's maker is on the deny-list.
        eum_denied: RiskFlag,
        /// The chip's certificate is revoked, denied or not verified.
        certificate_denied: RiskFlag,
        /// The firmware carries a test profile that can be opened (TS.48 version 6 or older).
        test_profile_open: RiskFlag,
        /// The phone is reported stolen or barred.
        device_barred: RiskFlag,
        /// The phone's IMEI has not been seen with this subscriber.
        imei_changed: RiskFlag,
        /// Minutes since the activation code was released.
        activation_code_age: StaleRisk,
        /// Attempts to download with this activation code.
        download_attempts: RiskCount,
        /// The activation code was opened from several addresses.
        code_seen_elsewhere: RiskFlag,
        /// The number that calls would be forwarded to has never been called by the line.
        forward_to_stranger: RiskFlag,
    }

    /// Evidence given for this very operation and still fresh; a proof given for another operation is none.
    Evidence evidence {
        /// A passkey of the owner signed this operation, with user verification.
        passkey: SafeFlag,
        /// Minutes since that passkey was enrolled.
        passkey_age: RecentRisk,
        /// That passkey may be copied to other devices by its maker's cloud.
        passkey_synced: RiskFlag,
        /// A code of the owner's authenticator application was right.
        totp: SafeFlag,
        /// Minutes since that authenticator was enrolled.
        totp_age: RecentRisk,
        /// The owner approved, with number matching, on an old device or another channel.
        owner_approval: SafeFlag,
        /// Minutes since the channel of that approval was last changed.
        owner_approval_channel_age: RecentRisk,
        /// The old SIM confirmed the operation.
        old_sim_confirm: SafeFlag,
        /// The owner confirmed when called back at the contact of record.
        call_back: SafeFlag,
        /// The person stood at the counter of a shop.
        in_person: SafeFlag,
        /// An identity document was checked and is the owner's.
        document: SafeFlag,
        /// The document's chip was read and its signature verified.
        document_chip: SafeFlag,
        /// A live face matched the face enrolled for the owner.
        face: SafeFlag,
        /// The matcher's false acceptance rate, in millionths.
        face_far_ppm: RiskCount,
        /// The matcher's false rejection rate, in millionths.
        face_frr_ppm: RiskCount,
        /// The level of presentation attack detection passed (0 none, 1, 2).
        face_pad_level: SafeCount,
        /// Fingers that matched those enrolled for the owner.
        fingers: SafeCount,
        /// The system, not the operator, chose which fingers.
        fingers_system_chosen: SafeFlag,
        /// The finger reader detects living skin.
        fingers_live: SafeFlag,
        /// An accredited digital identity vouched for the owner.
        digital_id: SafeFlag,
        /// The primary person authorised by a company confirmed.
        corporate_primary: SafeFlag,
        /// A second person authorised by a company confirmed.
        corporate_secondary: SafeFlag,
        /// Approvers other than the requester.
        approvers: SafeCount,
        /// One approver works in another shop than the requester, chosen by the system.
        approver_elsewhere: SafeFlag,
        /// The confirmation code, sent by another channel than the activation code, was right.
        confirmation_code: SafeFlag,
        /// The owner holds a port authorisation code that the old operator issued.
        port_code: SafeFlag,
    }

    /// What the requester claims about the old phone.
    Claim claim {
        /// The old phone is lost or stolen.
        device_gone: RiskFlag,
        /// The old phone is broken.
        device_broken: RiskFlag,
        /// The old chip cannot be used to confirm anything.
        old_sim_gone: RiskFlag,
    }
}

/// What was offered as proof and never counts as one. Kept for the record and for detection; no rule can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weak {
    /// Knowledge questions were answered: birthday, address, mother's name, password of the account.
    pub knowledge: bool,
    /// Numbers lately called were named.
    pub call_log: bool,
    /// A recent payment or top-up was named.
    pub recent_payment: bool,
    /// A code sent by SMS to the new SIM was read back.
    pub sms_to_new_sim: bool,
    /// Numbers printed on the device or card were named: IMEI, EID, ICCID.
    pub device_numbers: bool,
}

impl Facts {
    /// Nothing is known against the request, nothing is proven for it: the start for tables of cases, and for a
    /// gatherer that has asked every source.
    #[must_use]
    pub fn unremarkable() -> Self {
        let mut facts = Self::default();
        for fact in CATALOGUE {
            (fact.set)(&mut facts, fact.kind.unremarkable());
        }
        facts
    }

    /// The catalogue entry of `group.name`.
    #[must_use]
    pub fn find(path: &str) -> Option<&'static Fact> {
        let (group, name) = path.split_once('.')?;
        CATALOGUE
            .iter()
            .find(|fact| fact.group == group && fact.name == name)
    }
}
