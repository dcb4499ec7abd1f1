//! The SM-DP+ and the chips that fetch profiles from it.
//!
//! As honest as its operator: it hands a profile to the chip that the order names, and to whoever comes first when the
//! order names none. So a stolen code is worthless only if the order was bound to a chip.

use super::{Port, SimWorld};
use simwarden_app::ports::{Answer, PortError, ProfileOrder, SmDpPlus};
use simwarden_model::{OutboxId, Timestamp};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Ordered, not released.
    Ordered,
    /// Released for download.
    Released(Timestamp),
    /// On a chip.
    Installed,
    /// Out of use for good.
    Barred,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    eid: Option<String>,
    stand: Stand,
    /// Every chip that it was ever released to, or that fetched it.
    chips: Vec<String>,
}

/// Why a chip got nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such order, or it was not released.
    NotReleased,
    /// The order names another chip.
    AnotherChip,
    /// It was fetched already.
    Used,
}

impl SimWorld {
    /// A chip asks for a profile with an activation code.
    ///
    /// # Errors
    /// Why it gets nothing.
    pub fn fetch(&self, iccid: &str, eid: &str) -> Result<(), Refusal> {
        let mut inner = self.lock();
        let order = inner.orders.get_mut(iccid).ok_or(Refusal::NotReleased)?;
        if order.eid.as_deref().is_some_and(|bound| bound != eid) {
            return Err(Refusal::AnotherChip);
        }
        match order.stand {
            Stand::Released(_) => {
                order.stand = Stand::Installed;
                order.chips.push(eid.to_owned());
                Ok(())
            }
            Stand::Installed => Err(Refusal::Used),
            Stand::Ordered | Stand::Barred => Err(Refusal::NotReleased),
        }
    }

    /// Switches a chip off or on: while it is off, it installs nothing.
    pub fn set_online(&self, eid: &str, online: bool) {
        let mut inner = self.lock();
        if online {
            inner.offline.remove(eid);
        } else {
            inner.offline.insert(eid.to_owned());
        }
    }

    /// The profiles that were released to a chip or fetched by it, barred ones included.
    #[must_use]
    pub fn released_to(&self, eid: &str) -> Vec<String> {
        let inner = self.lock();
        let hit = |order: &Order| order.chips.iter().any(|chip| chip == eid);
        let mut found: Vec<String> = inner
            .orders
            .iter()
            .filter(|(_, order)| hit(order))
            .map(|(iccid, _)| iccid.clone())
            .collect();
        found.sort();
        found
    }

    /// The orders that name a chip, whatever became of them.
    #[must_use]
    pub fn ordered_for(&self, eid: &str) -> Vec<(String, Stand)> {
        let inner = self.lock();
        let mut found: Vec<(String, Stand)> = inner
            .orders
            .iter()
            .filter(|(_, order)| order.eid.as_deref() == Some(eid))
            .map(|(iccid, order)| (iccid.clone(), order.stand))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }
}

fn meaning(verb: &str, order: &ProfileOrder) -> String {
    format!("{verb} {} {:?} {}", order.iccid, order.eid, order.operator)
}

impl SmDpPlus for SimWorld {
    fn order<'a>(&'a self, name: OutboxId, wanted: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            self.meet(Port::SmDp).await?;
            let mut inner = self.lock();
            if !inner.first(name, meaning("order", wanted)) {
                return Ok(());
            }
            if let Some(before) = inner.orders.get(&wanted.iccid) {
                let text = format!(
                    "profile {} was ordered for {:?} and is ordered again for {:?}",
                    wanted.iccid, before.eid, wanted.eid
                );
                inner.violations.push(text);
            }
            let order = Order {
                eid: wanted.eid.clone(),
                stand: Stand::Ordered,
                chips: Vec::new(),
            };
            inner.orders.insert(wanted.iccid.clone(), order);
            Ok(())
        })
    }

    fn release<'a>(&'a self, name: OutboxId, wanted: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            self.meet(Port::SmDp).await?;
            let now = self.clock.now();
            let mut inner = self.lock();
            if !inner.first(name, meaning("release", wanted)) {
                return Ok(());
            }
            let problem = match inner.orders.get_mut(&wanted.iccid) {
                None => Some("without an order"),
                Some(order) if order.eid != wanted.eid => Some("to another chip than it was ordered for"),
                Some(order) => match order.stand {
                    Stand::Ordered => {
                        order.stand = Stand::Released(now);
                        order.chips.extend(wanted.eid.clone());
                        None
                    }
                    Stand::Released(_) | Stand::Installed => Some("a second time"),
                    Stand::Barred => Some("after it was barred"),
                },
            };
            if let Some(problem) = problem {
                let text = format!("profile {} was released {problem}", wanted.iccid);
                inner.violations.push(text.clone());
                return Err(PortError::Permanent(text));
            }
            Ok(())
        })
    }

    fn is_installed<'a>(&'a self, wanted: &'a ProfileOrder) -> Answer<'a, bool> {
        Box::pin(async move {
            self.meet(Port::SmDp).await?;
            let now = self.clock.now();
            let mut inner = self.lock();
            let offline = wanted.eid.as_ref().is_none_or(|eid| inner.offline.contains(eid));
            let Some(order) = inner.orders.get_mut(&wanted.iccid) else {
                return Ok(false);
            };
            if let Stand::Released(at) = order.stand
                && !offline
                && now.since(at) >= self.config.install
            {
                order.stand = Stand::Installed;
            }
            Ok(order.stand == Stand::Installed)
        })
    }

    fn bar<'a>(&'a self, name: OutboxId, wanted: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            self.meet(Port::SmDp).await?;
            let mut inner = self.lock();
            if !inner.first(name, meaning("bar", wanted)) {
                return Ok(());
            }
            match inner.orders.get_mut(&wanted.iccid) {
                Some(order) => order.stand = Stand::Barred,
                // Only what was ordered for an operation is taken back with it.
                None => {
                    let text = format!(
                        "profile {} was barred and had never been ordered here",
                        wanted.iccid
                    );
                    inner.violations.push(text);
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, SimWorld, Stand};
    use crate::country::{Country, CountrySpec};
    use crate::world::{Fault, Port, WorldConfig};
    use simwarden_app::SystemClock;
    use simwarden_app::ports::{PortError, ProfileOrder, SmDpPlus as _};
    use simwarden_model::{OutboxId, Timestamp};
    use std::sync::Arc;
    use std::time::Duration;

    fn world() -> SimWorld {
        let country = Country::generate(CountrySpec {
            seed: 1,
            people: 300,
            stock: 1,
        });
        let config = WorldConfig {
            install: Duration::ZERO,
        };
        SimWorld::populated(&country, Arc::new(SystemClock::start()), config)
    }

    fn name(n: u8) -> OutboxId {
        OutboxId::new(Timestamp::EPOCH, [n; 10])
    }

    fn order(eid: Option<&str>) -> ProfileOrder {
        ProfileOrder {
            iccid: "8999901000000000017".to_owned(),
            eid: eid.map(str::to_owned),
            operator: "999-01".to_owned(),
            operation: None,
        }
    }

    #[tokio::test]
    async fn a_bound_profile_goes_to_its_chip_only_and_once() {
        let (world, bound) = (world(), order(Some("A")));
        world.order(name(1), &bound).await.unwrap();
        assert_eq!(world.fetch(&bound.iccid, "A"), Err(Refusal::NotReleased));
        world.release(name(2), &bound).await.unwrap();
        world.release(name(2), &bound).await.unwrap();
        assert_eq!(world.repeated(), 1);
        assert_eq!(world.fetch(&bound.iccid, "B"), Err(Refusal::AnotherChip));
        assert!(world.is_installed(&bound).await.unwrap());
        assert_eq!(world.fetch(&bound.iccid, "A"), Err(Refusal::Used));
        assert!(world.violations().is_empty());
    }

    #[tokio::test]
    async fn an_unbound_profile_goes_to_whoever_comes_first() {
        let (world, unbound) = (world(), order(None));
        world.order(name(1), &unbound).await.unwrap();
        world.release(name(2), &unbound).await.unwrap();
        assert_eq!(world.fetch(&unbound.iccid, "THIEF"), Ok(()));
        assert_eq!(world.released_to("THIEF"), [unbound.iccid]);
    }

    #[tokio::test]
    async fn what_must_never_happen_is_kept() {
        let world = world();
        assert!(world.release(name(1), &order(Some("A"))).await.is_err());
        world.order(name(2), &order(Some("A"))).await.unwrap();
        world.order(name(2), &order(Some("B"))).await.unwrap();
        world.order(name(3), &order(Some("B"))).await.unwrap();
        assert!(world.release(name(4), &order(Some("C"))).await.is_err());
        assert_eq!(world.violations().len(), 4, "{:?}", world.violations());
    }

    #[tokio::test]
    async fn faults_stand_in_the_way_as_often_as_told() {
        let (world, bound) = (world(), order(Some("A")));
        world.inject(Port::SmDp, Fault::Temporary, 2);
        world.inject(Port::SmDp, Fault::Permanent, 1);
        for _ in 0..2 {
            let answer = world.order(name(1), &bound).await;
            assert!(matches!(answer, Err(PortError::Temporary(_))));
        }
        assert!(matches!(
            world.order(name(1), &bound).await,
            Err(PortError::Permanent(_))
        ));
        world.order(name(1), &bound).await.unwrap();
        assert_eq!(world.ordered_for("A"), [(bound.iccid, Stand::Ordered)]);
    }
}
