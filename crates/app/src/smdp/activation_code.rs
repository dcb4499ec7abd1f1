//! The activation code of an operation: what the owner's phone needs to fetch the profile, shown through the operation
//! that earned it and through nothing else.

use super::Smdp;
use super::rows::open_order;
use crate::{Actor, Error, ErrorKind};
use simwarden_model::{OperationId, OperationState};
use simwarden_rsp::ActivationCode;
use simwarden_rsp::order::Matching;
use simwarden_store::records::smdp_order::SmdpOrderKey;

impl Smdp {
    /// The activation code, `LPA:1$…`, while the operation is being carried out and its profile may be fetched.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the operation is not the actor's to see; [`ErrorKind::State`] when there is nothing
    /// to be fetched now.
    pub async fn activation_code(&self, actor: &Actor, operation: OperationId) -> Result<String, Error> {
        let app = &self.inner.app;
        let row = app.seen(actor, operation).await?;
        let none = || {
            Error::new(
                ErrorKind::State,
                "nothing_to_fetch",
                "this operation has no profile to be fetched now",
            )
        };
        if row.state != OperationState::Executing {
            return Err(none());
        }
        let orders = app
            .store()
            .smdp_orders(SmdpOrderKey::Operations(vec![operation]))
            .await?;
        for row in orders {
            let order = open_order(app.keyring(), &row)?;
            let fetchable = order.check_open().is_ok() && order.check_time(app.now()).is_ok();
            if let (true, Matching::Id(id)) = (fetchable, &order.matching) {
                let code = ActivationCode {
                    smdp_address: self.address().to_owned(),
                    matching_id: Some(id.clone()),
                    smdp_oid: None,
                    confirmation_code_required: order.needs_code(),
                };
                return Ok(code.reveal());
            }
        }
        Err(none())
    }
}
