//! What jobs of the gateway write, in the one transaction of their batch.

use crate::Error;
use crate::committer::Job;
use crate::draft::Draft;
use crate::world::{Needs, World};
use simwarden_model::{SubscriptionId, Timestamp};
use simwarden_store::records::gateway_client::GatewayClientRow;
use simwarden_store::records::gateway_consent::GatewayConsent;
use simwarden_store::records::gateway_grant::GatewayGrant;
use simwarden_store::records::gateway_line::GatewayLine;
use simwarden_store::records::gateway_query::GatewayQuery;
use simwarden_store::records::gateway_watch::{GatewayEvent, GatewayWatch};
use simwarden_store::{StoreError, Tx};

/// One write.
#[derive(Debug, Clone)]
pub(crate) enum GatewayWrite {
    Client(GatewayClientRow),
    Line(GatewayLine),
    Consent(GatewayConsent),
    Grant(GatewayGrant),
    /// A refresh token is used; somebody else may have been faster.
    UseGrant([u8; 32]),
    RevokeFamily([u8; 16]),
    Watch(GatewayWatch),
    Event(GatewayEvent),
    Queries(Vec<GatewayQuery>),
    /// The sandbox begins anew.
    DropSandboxClients,
    /// A line's consents and watches end.
    DropOf(SubscriptionId),
}

impl GatewayWrite {
    pub(crate) async fn write(self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Client(row) => tx.put_gateway_clients(&[row]).await,
            Self::Line(row) => tx.put_gateway_lines(&[row]).await,
            Self::Consent(row) => tx.put_gateway_consents(&[row]).await,
            Self::Grant(row) => tx.put_gateway_grants(&[row]).await,
            Self::UseGrant(hash) => {
                if tx.use_gateway_grant(hash, now).await? {
                    Ok(())
                } else {
                    Err(StoreError::Stale {
                        what: "gateway_grant",
                    })
                }
            }
            Self::RevokeFamily(family) => tx.revoke_gateway_family(family, now).await,
            Self::Watch(row) => tx.put_gateway_watches(&[row]).await,
            Self::Event(row) => tx.put_gateway_events(&[row]).await,
            Self::Queries(rows) => tx.put_gateway_queries(&rows).await,
            Self::DropSandboxClients => tx.drop_sandbox_clients().await,
            Self::DropOf(line) => {
                tx.drop_gateway_consents(line).await?;
                tx.drop_gateway_watches(line).await
            }
        }
    }
}

/// A job that is a function.
pub(super) struct Do<F> {
    pub needs: Needs,
    pub run: F,
}

impl<F, A> Job for Do<F>
where
    F: Fn(&World, &mut Draft<'_>) -> Result<A, Error> + Send + 'static,
    A: Send + 'static,
{
    type Answer = A;
    fn needs(&self) -> Needs {
        self.needs.clone()
    }
    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<A, Error> {
        (self.run)(world, draft)
    }
}
