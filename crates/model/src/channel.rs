//! Where a request came in.

use crate::named::named_enum;

named_enum! {
    /// The channel that a request came in by.
    pub enum Channel ("channel") {
        /// A dealer's shop.
        Shop = "shop",
        /// A shop of the operator's own.
        OwnedShop = "owned_shop",
        /// The subscriber's application on a registered device.
        App = "app",
        /// The subscriber's account in a browser.
        Web = "web",
        /// A call to the operator or the hotline.
        Call = "call",
        /// A USSD code dialled on the line.
        Ussd = "ussd",
        /// A machine of the operator or a partner.
        Api = "api",
        /// The regulator.
        Regulator = "regulator",
        /// simwarden itself: a playbook, a timer.
        System = "system",
    }
}
