//! ES2+: what an operator orders, as decisions over an [`Order`] (SGP.22 v2, 5.3). No look-up is made here.
//!
//! The caller finds the order, authenticates the operator, keeps answers by call identifier, and runs the decision
//! inside the writing transaction. An order that is refused is unchanged.

use crate::confirmation::ConfirmationDigest;
use crate::effect::{Effect, Step};
use crate::gate::Gate;
use crate::matching_id::MatchingId;
use crate::order::{Matching, Order, OrderLimits};
use crate::status::Refusal;
use simwarden_model::{Eid, Entropy, Iccid, ProfileEvent, ProfileState, Timestamp};
use std::time::Duration;

/// What was found for a downloadOrder.
#[derive(Debug)]
pub enum Found<'a> {
    /// A profile: by its ICCID, or the next of its type.
    Profile(&'a mut Order),
    /// No such ICCID.
    UnknownIccid,
    /// No such type.
    UnknownType,
    /// The type belongs to another operator.
    ForeignType,
    /// None of that type is left.
    NoneLeft,
}

/// DownloadOrder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOrder {
    /// The chip.
    pub eid: Option<Eid>,
    /// The profile.
    pub iccid: Option<Iccid>,
    /// Or a profile of this type.
    pub profile_type: Option<String>,
}

/// ConfirmOrder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmOrder {
    /// The profile.
    pub iccid: Iccid,
    /// The chip.
    pub eid: Option<Eid>,
    /// Absent: one is drawn. Empty: the default order of the chip.
    pub matching_id: Option<String>,
    /// The confirmation code, of which only a digest is kept.
    pub confirmation_code: Option<zeroize::Zeroizing<String>>,
    /// A discovery server at which an event is to be registered.
    pub smds_address: Option<String>,
    /// Whether to release at once.
    pub release: bool,
}

/// CancelOrder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// The profile.
    pub iccid: Iccid,
    /// The chip that it was ordered for.
    pub eid: Option<Eid>,
    /// Its matching id.
    pub matching_id: Option<String>,
    /// Whether the profile goes back to the stock; otherwise it is withdrawn.
    pub back_to_stock: bool,
}

/// The terms of new orders: data that an operator sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long an order can be fetched.
    pub life: Duration,
    /// How often it may be tried.
    pub limits: OrderLimits,
    /// The fewest characters of a matching id that an operator brings along for an order of no named chip. Sixteen
    /// random ones hold 80 bits.
    pub given_matching_id_chars_min: usize,
    /// Whether a default order and an order without a named chip may be made at all.
    pub unbound_orders: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(24 * 3600),
            limits: OrderLimits::default(),
            given_matching_id_chars_min: 4,
            unbound_orders: true,
        }
    }
}

/// Reserves a profile for an operator, and for a chip when one is named.
///
/// # Errors
/// [`Refusal`] of ES2+; the order is unchanged then.
pub fn download_order(
    caller: &str,
    found: Found<'_>,
    request: &DownloadOrder,
) -> Result<(Iccid, Vec<Effect>), Refusal> {
    if request.iccid.is_none() && request.profile_type.is_none() {
        return Err(Refusal::Missing);
    }
    let order = match found {
        Found::Profile(order) => order,
        Found::UnknownIccid => return Err(Refusal::IccidUnknown),
        Found::UnknownType => return Err(Refusal::TypeUnknown),
        Found::ForeignType => return Err(Refusal::TypeNotYours),
        Found::NoneLeft => return Err(Refusal::TypeExhausted),
    };
    if order.owner != caller {
        return Err(if request.iccid.is_some() {
            Refusal::NotYours
        } else {
            Refusal::TypeNotYours
        });
    }
    if request.iccid.is_some_and(|iccid| iccid != order.iccid) {
        return Err(Refusal::IccidUnknown);
    }
    if request
        .profile_type
        .as_ref()
        .is_some_and(|it| *it != order.profile_type)
    {
        return Err(Refusal::TypeMismatch);
    }
    let from = order.state;
    let event = match request.eid {
        Some(_) => ProfileEvent::Link,
        None => ProfileEvent::Allocate,
    };
    if from != ProfileState::Available || order.apply(event).is_err() {
        return Err(Refusal::IccidInUse);
    }
    order.eid = request.eid;
    let moved = Effect::OrderMoved {
        from,
        to: order.state,
    };
    Ok((order.iccid, vec![moved, Effect::done(Step::Ordered)]))
}

/// The answer to ConfirmOrder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The chip, when one is named.
    pub eid: Option<Eid>,
    /// The matching id; `None` for a default order.
    pub matching_id: Option<MatchingId>,
}

/// What ConfirmOrder is decided by, besides the order.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmFacts<'a> {
    /// Whether the matching id that is asked for stands for another living order, or the chip has a default order.
    pub matching_taken: bool,
    /// What guard and freezes say to the release, when one is asked for.
    pub gate: &'a Gate,
    /// The terms.
    pub terms: Terms,
    /// The time.
    pub now: Timestamp,
}

/// Confirms an order: chip, matching id, confirmation code, release.
///
/// # Errors
/// [`Refusal`] of ES2+; the order is unchanged then.
pub fn confirm_order(
    caller: &str,
    order: Option<&mut Order>,
    request: &ConfirmOrder,
    facts: ConfirmFacts<'_>,
    entropy: &mut dyn Entropy,
) -> Result<(Confirmed, Vec<Effect>), Refusal> {
    let order = yours(caller, order, &request.iccid)?;
    if !matches!(order.state, ProfileState::Allocated | ProfileState::Linked) {
        return Err(Refusal::IccidInUse);
    }
    if order.eid.is_some() && request.eid.is_some() && order.eid != request.eid {
        return Err(Refusal::EidMismatch);
    }
    let eid = order.eid.or(request.eid);
    if request
        .smds_address
        .as_ref()
        .is_some_and(|address| !address.is_empty())
    {
        return Err(Refusal::SmdsUnreachable);
    }
    let matching = match request.matching_id.as_deref() {
        None => Matching::Id(MatchingId::draw(entropy)),
        Some("") => Matching::DefaultForEid,
        Some(given) => Matching::Id(MatchingId::parse(given).map_err(|_| Refusal::Malformed)?),
    };
    if eid.is_none() && (matching == Matching::DefaultForEid || !facts.terms.unbound_orders) {
        return Err(Refusal::EidMissing);
    }
    if facts.matching_taken && request.matching_id.is_some() {
        return Err(Refusal::MatchingIdInUse);
    }
    let given = request.matching_id.as_deref().map_or(usize::MAX, str::len);
    if eid.is_none() && given < facts.terms.given_matching_id_chars_min {
        return Err(Refusal::Malformed);
    }
    let code = request.confirmation_code.as_ref().filter(|code| !code.is_empty());
    if code.is_some_and(|code| code.len() > crate::CONFIRMATION_CODE_CHARS_MAX) {
        return Err(Refusal::Malformed);
    }
    if request.release && *facts.gate != Gate::Open {
        return Err(Refusal::CannotRelease);
    }
    let from = order.state;
    order
        .apply(ProfileEvent::Confirm)
        .map_err(|_| Refusal::IccidInUse)?;
    if request.release {
        order
            .apply(ProfileEvent::Release)
            .map_err(|_| Refusal::CannotRelease)?;
    }
    order.eid = eid;
    order.matching = matching;
    order.confirmation = code.map(|code| ConfirmationDigest::of(code));
    order.limits = facts.terms.limits;
    order.expires_at = Some(facts.now.plus(facts.terms.life));
    (order.code_tries, order.attempts, order.rebindings) = (0, 0, 0);
    (order.binding, order.told) = (None, 0);
    let confirmed = Confirmed {
        eid,
        matching_id: match &order.matching {
            Matching::Id(id) => Some(id.clone()),
            Matching::Unset | Matching::DefaultForEid => None,
        },
    };
    let moved = Effect::OrderMoved {
        from,
        to: order.state,
    };
    let step = match request.release {
        true => Step::Released,
        false => Step::Confirmed,
    };
    Ok((confirmed, vec![moved, Effect::done(step)]))
}

/// Takes an order back, before its download.
///
/// # Errors
/// [`Refusal`] of ES2+; the order is unchanged then.
pub fn cancel_order(
    caller: &str,
    order: Option<&mut Order>,
    request: &CancelOrder,
) -> Result<Vec<Effect>, Refusal> {
    let order = yours(caller, order, &request.iccid)?;
    if request.eid.is_some() && request.eid != order.eid {
        return Err(Refusal::EidMismatch);
    }
    let fits = match (request.matching_id.as_deref(), &order.matching) {
        (None, _) => true,
        (Some(""), matching) => matches!(matching, Matching::DefaultForEid | Matching::Unset),
        (Some(given), Matching::Id(id)) => id.reveal() == given,
        (Some(_), _) => false,
    };
    if !fits {
        return Err(Refusal::MatchingIdMismatch);
    }
    let (from, event) = match request.back_to_stock {
        true => (order.state, ProfileEvent::Return),
        false => (order.state, ProfileEvent::Withdraw),
    };
    // A package that was sent may be on a chip: such a profile never goes to anybody else.
    if order.binding.is_some() && request.back_to_stock || order.apply(event).is_err() {
        return Err(Refusal::IccidInUse);
    }
    order.eid = None;
    order.matching = Matching::Unset;
    order.expires_at = None;
    (order.code_tries, order.attempts) = (0, 0);
    order.erase_secrets();
    let moved = Effect::OrderMoved {
        from,
        to: order.state,
    };
    let mut effects = vec![moved, Effect::done(Step::Withdrawn)];
    if !request.back_to_stock {
        effects.push(Effect::EraseProfile);
    }
    Ok(effects)
}

/// Takes an order back for good, wherever it is: before its release nobody gets the profile, and one that is on a chip is
/// marked as barred (that the network serves it no more is the network's part).
///
/// No effects when there is nothing left to bar.
pub fn bar_profile(order: &mut Order) -> Vec<Effect> {
    let from = order.state;
    let event = match from {
        ProfileState::Downloaded => ProfileEvent::Fail,
        // What was sent once may be on a chip that has not said so.
        ProfileState::Released if order.binding.is_some() => ProfileEvent::Fail,
        ProfileState::Installed | ProfileState::Enabled => ProfileEvent::Disable,
        _ => ProfileEvent::Withdraw,
    };
    if order.apply(event).is_err() {
        return Vec::new();
    }
    order.erase_secrets();
    vec![
        Effect::OrderMoved {
            from,
            to: order.state,
        },
        Effect::done(Step::Withdrawn),
        Effect::EraseProfile,
    ]
}

/// Releases a confirmed order, if guard and freezes let it.
///
/// # Errors
/// [`Refusal`] of ES2+; the order is unchanged then.
pub fn release_profile(
    caller: &str,
    order: Option<&mut Order>,
    iccid: &Iccid,
    gate: &Gate,
) -> Result<Vec<Effect>, Refusal> {
    let order = yours(caller, order, iccid)?;
    if order.state != ProfileState::Confirmed || *gate != Gate::Open {
        return Err(Refusal::CannotRelease);
    }
    let from = order.state;
    order
        .apply(ProfileEvent::Release)
        .map_err(|_| Refusal::CannotRelease)?;
    let moved = Effect::OrderMoved {
        from,
        to: order.state,
    };
    Ok(vec![moved, Effect::done(Step::Released)])
}

fn yours<'a>(caller: &str, order: Option<&'a mut Order>, iccid: &Iccid) -> Result<&'a mut Order, Refusal> {
    let order = order
        .filter(|order| order.iccid == *iccid)
        .ok_or(Refusal::IccidUnknown)?;
    if order.owner == caller {
        Ok(order)
    } else {
        Err(Refusal::NotYours)
    }
}
