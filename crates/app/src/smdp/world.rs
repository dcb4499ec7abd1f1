//! What jobs of the SM-DP+ read and write: rows, in the one transaction.

use crate::entry::hex;
use simwarden_model::Timestamp;
use simwarden_store::records::es2plus_caller::Es2plusCaller;
use simwarden_store::records::smdp_chip::{ChipCounts, NotificationSeen, SmdpChip, SmdpNotification};
use simwarden_store::records::smdp_freeze::SmdpFreeze;
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use simwarden_store::records::smdp_package::SmdpPackage;
use simwarden_store::records::smdp_session::SmdpSession;
use simwarden_store::{BlindIndex, StoreError, Tx};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

/// After so long a chip that was sent a package should have reported on it.
const ANSWER_TIME: Duration = Duration::from_secs(24 * 3600);
/// Stands for the freezes, all of them: they change seldom.
pub(crate) const FREEZES: [u8; 16] = *b"freezes, of smdp";

/// What a job of the SM-DP+ must have read before it runs.
#[derive(Debug, Default, Clone)]
pub(crate) struct SmdpNeeds {
    /// Sessions, by transaction id; with their orders.
    pub sessions: Vec<BlindIndex>,
    /// Orders, by id.
    pub orders: Vec<[u8; 16]>,
    /// Orders, by the profile's number.
    pub iccids: Vec<BlindIndex>,
    /// Orders, by matching id.
    pub matching: Vec<BlindIndex>,
    /// The default orders of these chips.
    pub default_of: Vec<BlindIndex>,
    /// Chips: their last sightings.
    pub chips: Vec<BlindIndex>,
    /// Chips of which is counted what they have under way.
    pub counted: Vec<BlindIndex>,
    /// Notifications, by chip, signed bytes and the chip's own count: whether they were taken over.
    pub notifications: Vec<(BlindIndex, BlindIndex, i64)>,
    /// What may be frozen; operators of orders and numbers of lines are added.
    pub freezes: Vec<String>,
    /// Whether the job sets or lifts freezes: then no job that reads them is in its batch.
    pub sets_freezes: bool,
    /// Rows that the job trusts without reading them here: none of its batch may change them before it.
    pub leans_on: Vec<BlindIndex>,
    /// Profile types of which free profiles are needed.
    pub stock: Vec<(String, u32)>,
    /// Types of which an owner wants one.
    pub types: Vec<(String, String)>,
}

fn unique<T: Eq + Hash + Clone>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}

impl SmdpNeeds {
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
            && self.orders.is_empty()
            && self.iccids.is_empty()
            && self.matching.is_empty()
            && self.default_of.is_empty()
            && self.chips.is_empty()
            && self.freezes.is_empty()
            && self.stock.is_empty()
            && self.types.is_empty()
    }

    pub(crate) fn union<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for needs in all {
            sum.sessions.extend(&needs.sessions);
            sum.orders.extend(&needs.orders);
            sum.iccids.extend(&needs.iccids);
            sum.matching.extend(&needs.matching);
            sum.default_of.extend(&needs.default_of);
            sum.chips.extend(&needs.chips);
            sum.counted.extend(&needs.counted);
            sum.notifications.extend(&needs.notifications);
            sum.freezes.extend(needs.freezes.iter().cloned());
            sum.stock.extend(needs.stock.iter().cloned());
            sum.types.extend(needs.types.iter().cloned());
        }
        Self {
            sessions: unique(sum.sessions),
            orders: unique(sum.orders),
            iccids: unique(sum.iccids),
            matching: unique(sum.matching),
            default_of: unique(sum.default_of),
            chips: unique(sum.chips),
            counted: unique(sum.counted),
            notifications: unique(sum.notifications),
            freezes: unique(sum.freezes),
            sets_freezes: false,
            leans_on: Vec::new(),
            stock: sum.stock,
            types: unique(sum.types),
        }
    }
}

/// What was read of the SM-DP+'s tables.
#[derive(Debug, Default)]
pub(crate) struct SmdpWorld {
    pub sessions: HashMap<BlindIndex, SmdpSession>,
    pub orders: HashMap<[u8; 16], SmdpOrder>,
    pub chips: HashMap<BlindIndex, SmdpChip>,
    /// What the chips have under way.
    pub counts: HashMap<BlindIndex, ChipCounts>,
    /// What is known of notifications, by their signed bytes.
    pub notifications: HashMap<BlindIndex, NotificationSeen>,
    /// Freezes that stand, by key.
    pub freezes: HashMap<String, SmdpFreeze>,
    pub stock: HashMap<String, Vec<SmdpOrder>>,
    /// Owners of the orders that want to be told of downloads.
    pub told: HashSet<String>,
    /// By type and owner: whose profiles of the type are, and a free one of the owner's.
    pub types: HashMap<(String, String), (Vec<String>, Option<SmdpOrder>)>,
}

/// The key of an operator's freeze.
pub(crate) fn operator_key(operator: &str) -> String {
    format!("operator:{operator}")
}

/// The key of a number's freeze.
pub(crate) fn number_key(number: &BlindIndex) -> String {
    format!("number:{}", hex(number.as_bytes()))
}

impl SmdpWorld {
    pub(crate) async fn read(
        tx: &mut Tx,
        needs: &SmdpNeeds,
        numbers: Vec<BlindIndex>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut world = Self::default();
        let sessions = tx.smdp_sessions(&needs.sessions).await?;
        let of_sessions = sessions.iter().filter_map(|session| session.order_id);
        let ids = unique(needs.orders.iter().copied().chain(of_sessions));
        for key in [
            SmdpOrderKey::Ids(ids),
            SmdpOrderKey::Iccids(needs.iccids.clone()),
            SmdpOrderKey::Matching(needs.matching.clone()),
            SmdpOrderKey::DefaultOf(needs.default_of.clone()),
        ] {
            let found = tx.smdp_orders(key).await?;
            world
                .orders
                .extend(found.into_iter().map(|order| (order.id, order)));
        }
        world.sessions = sessions.into_iter().map(|row| (row.tid_idx, row)).collect();
        let chips = tx.smdp_chips(&needs.chips).await?;
        world.chips = chips.into_iter().map(|row| (row.eid_idx, row)).collect();
        if !needs.counted.is_empty() {
            let counts = tx
                .smdp_chip_counts(&needs.counted, now, now.minus(ANSWER_TIME))
                .await?;
            world.counts = counts.into_iter().map(|it| (it.eid_idx, it)).collect();
        }
        for (chip, digest, seq) in &needs.notifications {
            let seen = tx.smdp_notification_seen(*chip, *digest, *seq).await?;
            world.notifications.insert(*digest, seen);
        }
        if !needs.freezes.is_empty() {
            let operators = world.orders.values().map(|order| operator_key(&order.operator));
            let keys = needs.freezes.iter().cloned().chain(operators);
            let keys = unique(keys.chain(numbers.iter().map(number_key)));
            let freezes = tx.smdp_freezes(&keys).await?;
            world.freezes = freezes.into_iter().map(|row| (row.key.clone(), row)).collect();
        }
        for (profile_type, count) in &needs.stock {
            let stock = tx.smdp_stock(profile_type, *count).await?;
            world.stock.insert(profile_type.clone(), stock);
        }
        for (profile_type, owner) in &needs.types {
            let owners = tx.smdp_type_owners(profile_type).await?;
            let free = tx.smdp_free(profile_type, owner).await?;
            world
                .types
                .insert((profile_type.clone(), owner.clone()), (owners, free));
        }
        let owners = unique(world.orders.values().map(|order| order.operator.clone()));
        world.told = tx.es2plus_told(&owners).await?.into_iter().collect();
        Ok(world)
    }

    /// The order of a matching id.
    pub(crate) fn by_matching(&self, matching: &BlindIndex) -> Option<&SmdpOrder> {
        self.orders
            .values()
            .find(|order| order.matching_idx.as_ref() == Some(matching))
    }

    /// The order of a profile.
    pub(crate) fn by_iccid(&self, iccid: &BlindIndex) -> Option<&SmdpOrder> {
        self.orders.values().find(|order| order.iccid_idx == *iccid)
    }

    /// The default order of a chip: one that can be had before one that is over, the newest first.
    pub(crate) fn default_of(&self, chip: &BlindIndex) -> Option<&SmdpOrder> {
        pick_default(
            self.orders
                .values()
                .filter(|order| order.default_for_eid && order.eid_idx.as_ref() == Some(chip)),
        )
    }

    /// Every row that a job with these needs may change, as bytes.
    pub(crate) fn touched(&self, needs: &SmdpNeeds) -> Vec<[u8; 16]> {
        let indexes = [&needs.sessions, &needs.matching, &needs.iccids, &needs.chips];
        let mut keys: Vec<[u8; 16]> = indexes.into_iter().flatten().map(|it| *it.as_bytes()).collect();
        keys.extend(&needs.orders);
        let of_sessions = needs.sessions.iter().filter_map(|tid| self.sessions.get(tid));
        keys.extend(of_sessions.filter_map(|session| session.order_id));
        keys.extend(
            needs
                .matching
                .iter()
                .filter_map(|it| self.by_matching(it))
                .map(|it| it.id),
        );
        keys.extend(
            needs
                .iccids
                .iter()
                .filter_map(|it| self.by_iccid(it))
                .map(|it| it.id),
        );
        for chip in &needs.default_of {
            keys.push(*chip.as_bytes());
            keys.extend(self.default_of(chip).map(|order| order.id));
        }
        // Stock is taken in order, so only one job of a batch may take from it.
        if !needs.stock.is_empty() || !needs.types.is_empty() {
            keys.push(*b"stock of an smdp");
        }
        if needs.sets_freezes {
            keys.push(FREEZES);
        }
        keys
    }
}

/// Of the default orders of one chip, the one that it gets.
pub(crate) fn pick_default<'a>(orders: impl Iterator<Item = &'a SmdpOrder>) -> Option<&'a SmdpOrder> {
    use simwarden_model::ProfileState::{Downloaded, Released};
    orders.max_by_key(|order| {
        (
            matches!(order.state, Released | Downloaded),
            order.created_at,
            order.id,
        )
    })
}

/// Something of the SM-DP+ to be written.
#[derive(Debug)]
pub(crate) enum SmdpWrite {
    /// A new order.
    Insert(SmdpOrder),
    /// The next version of an order.
    Update(SmdpOrder),
    /// A session.
    Session(SmdpSession),
    /// A profile in one form.
    Package(SmdpPackage),
    /// Both forms of a profile, erased.
    Erase([u8; 16]),
    /// The remote-management keys of a profile.
    RemoteKeys(Vec<BlindIndex>, [u8; 16]),
    /// The last sighting of a chip.
    Chip(SmdpChip),
    /// A notification that was taken over.
    Notification(SmdpNotification),
    /// Sessions that ended before are forgotten.
    Forget(Timestamp),
    /// A freeze.
    Freeze(SmdpFreeze),
    /// A freeze is lifted.
    Lift(String),
    /// A caller of ES2+.
    Caller(Es2plusCaller),
    /// A caller of ES2+ that is none any more.
    RemoveCaller([u8; 32]),
}

impl SmdpWrite {
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Insert(row) => tx.insert_smdp_orders(&[row]).await,
            Self::Update(row) => tx.update_smdp_order(&row).await,
            Self::Session(row) => tx.put_smdp_sessions(&[row]).await,
            Self::Package(row) => tx.put_smdp_packages(&[row]).await,
            Self::Erase(order) => tx.erase_smdp_packages(order).await.map(drop),
            Self::RemoteKeys(keys, order) => tx.insert_smdp_remote_keys(&keys, order).await,
            Self::Chip(row) => tx.put_smdp_chips(&[row]).await,
            Self::Notification(row) => tx.insert_smdp_notifications(&[row]).await,
            Self::Forget(before) => tx.forget_smdp_sessions(before).await.map(drop),
            Self::Freeze(row) => tx.set_smdp_freeze(&row).await,
            Self::Lift(key) => tx.lift_smdp_freeze(&key).await.map(drop),
            Self::Caller(row) => tx.put_es2plus_caller(&row).await,
            Self::RemoveCaller(certificate) => tx.remove_es2plus_caller(certificate).await.map(drop),
        }
    }
}
