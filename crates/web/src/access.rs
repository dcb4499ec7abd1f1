//! Who may call what: one row for every route, and no route without its row.
//!
//! A row is the outer wall. What an actor may do with *this* line or operation, the use case says.

use axum::http::Method;
use simwarden_model::Role;

/// For whom a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// For everybody, signed in or not; credentials are not even looked at.
    Everybody,
    /// For tokens of these roles.
    Roles(&'static [Role]),
    /// For the holders of client certificates that were let in; TLS has proven who holds one.
    Certificates,
}

/// One row: a route and for whom it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The method; HEAD goes with GET.
    pub method: Method,
    /// The path template.
    pub path: &'static str,
    /// For whom.
    pub who: Who,
}

impl Rule {
    /// Whether somebody of a role, or nobody in particular, may pass.
    #[must_use]
    pub fn admits(&self, role: Option<Role>) -> bool {
        match (self.who, role) {
            (Who::Everybody, _) => true,
            (Who::Certificates, _) | (Who::Roles(_), None) => false,
            (Who::Roles(roles), Some(role)) => roles.contains(&role),
        }
    }
}

use Role::{Admin, Agent, Auditor, Feed, FraudAnalyst, Hotline, Regulator, Subscriber, Supervisor};

/// Every role that a token can carry.
const ALL: &[Role] = &[
    Subscriber,
    Agent,
    Supervisor,
    FraudAnalyst,
    Hotline,
    Regulator,
    Auditor,
    Feed,
    Admin,
];
/// Whoever may ask for an operation.
const ASKERS: &[Role] = &[Subscriber, Agent, Supervisor, FraudAnalyst, Hotline, Regulator];
/// Whoever may see operations that they did not ask for.
const WATCHERS: &[Role] = &[
    Subscriber,
    Supervisor,
    FraudAnalyst,
    Hotline,
    Regulator,
    Auditor,
    Admin,
];
/// Whoever may open one operation.
const SEERS: &[Role] = &[
    Subscriber,
    Agent,
    Supervisor,
    FraudAnalyst,
    Hotline,
    Regulator,
    Auditor,
    Admin,
];
/// Whoever may look up lines.
const LOOKERS: &[Role] = &[Agent, Supervisor, FraudAnalyst, Hotline, Regulator, Auditor];

macro_rules! rules {
    ($(#[$of:meta])* $table:ident: $($(#[$meta:meta])* $name:ident = $method:ident $path:literal, $who:expr;)+) => {
        $($(#[$meta])* pub static $name: Rule = Rule { method: Method::$method, path: $path, who: $who };)+
        $(#[$of])*
        pub static $table: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    /// Every row of the SM-DP+'s listener. The protocol knows no tokens: chips prove themselves by signatures inside.
    ES9PLUS_TABLE:
    /// A chip opens a session.
    ES9PLUS_INITIATE = POST "/gsma/rsp2/es9plus/initiateAuthentication", Who::Everybody;
    /// It proves itself and asks for its order.
    ES9PLUS_AUTHENTICATE = POST "/gsma/rsp2/es9plus/authenticateClient", Who::Everybody;
    /// It fetches its profile.
    ES9PLUS_PACKAGE = POST "/gsma/rsp2/es9plus/getBoundProfilePackage", Who::Everybody;
    /// It reports what became of a profile.
    ES9PLUS_NOTIFICATION = POST "/gsma/rsp2/es9plus/handleNotification", Who::Everybody;
    /// It ends a session.
    ES9PLUS_CANCEL = POST "/gsma/rsp2/es9plus/cancelSession", Who::Everybody;
}

rules! {
    /// Every row of the listener for operators' systems, ES2+.
    ES2PLUS_TABLE:
    /// An operator reserves a profile.
    ES2PLUS_DOWNLOAD = POST "/gsma/rsp2/es2plus/downloadOrder", Who::Certificates;
    /// It confirms the order.
    ES2PLUS_CONFIRM = POST "/gsma/rsp2/es2plus/confirmOrder", Who::Certificates;
    /// It takes the order back.
    ES2PLUS_CANCEL = POST "/gsma/rsp2/es2plus/cancelOrder", Who::Certificates;
    /// It releases the order for download.
    ES2PLUS_RELEASE = POST "/gsma/rsp2/es2plus/releaseProfile", Who::Certificates;
}

rules! {
    /// Every row of the main listener.
    TABLE:
    /// Ask for an operation.
    OPERATION_ASK = POST "/v1/operations", Who::Roles(ASKERS);
    /// Operations, the newest first.
    OPERATION_LIST = GET "/v1/operations", Who::Roles(WATCHERS);
    /// One operation.
    OPERATION_GET = GET "/v1/operations/{id}", Who::Roles(SEERS);
    /// Give evidence.
    OPERATION_EVIDENCE = POST "/v1/operations/{id}/evidence",
        Who::Roles(&[Subscriber, Agent, Supervisor, FraudAnalyst, Hotline]);
    /// Stop an operation.
    OPERATION_STOP = POST "/v1/operations/{id}/stop", Who::Roles(ASKERS);
    /// Take a finished operation back.
    OPERATION_ROLLBACK = POST "/v1/operations/{id}/rollback", Who::Roles(&[Supervisor, FraudAnalyst]);
    /// What its decisions were made from.
    OPERATION_DECISIONS = GET "/v1/operations/{id}/decisions",
        Who::Roles(&[FraudAnalyst, Regulator, Auditor, Admin]);
    /// The parts of a ledger proof.
    OPERATION_PROOF = GET "/v1/operations/{id}/proof", Who::Roles(SEERS);
    /// The receipt.
    OPERATION_RECEIPT = GET "/v1/operations/{id}/receipt", Who::Roles(SEERS);
    /// Questions that wait for the owner.
    APPROVAL_LIST = GET "/v1/approvals", Who::Roles(&[Subscriber]);
    /// The owner answers.
    APPROVAL_ANSWER = POST "/v1/approvals/{id}", Who::Roles(&[Subscriber]);
    /// Find lines.
    REGISTRY_SEARCH = POST "/v1/registry/search",
        Who::Roles(&[Subscriber, Agent, Supervisor, FraudAnalyst, Hotline, Regulator, Auditor]);
    /// What happened to a line.
    LINE_HISTORY = GET "/v1/lines/{id}/history",
        Who::Roles(&[Subscriber, Agent, Supervisor, FraudAnalyst, Hotline, Regulator, Auditor]);
    /// Who asked about a line through the Open Gateway.
    LINE_ASKED = GET "/v1/lines/{id}/asked", Who::Roles(&[Subscriber]);
    /// What its subscriber agreed to there.
    LINE_CONSENTS = GET "/v1/lines/{id}/consents", Who::Roles(&[Subscriber]);
    /// The subscriber agrees or withdraws.
    LINE_CONSENT = POST "/v1/lines/{id}/consents", Who::Roles(&[Subscriber]);
    /// Questions of banks and services that wait for the subscriber.
    ASK_LIST = GET "/v1/asks", Who::Roles(&[Subscriber]);
    /// The subscriber answers one.
    ASK_ANSWER = POST "/v1/asks/{id}", Who::Roles(&[Subscriber]);
    /// What happened to a profile.
    PROFILE_HISTORY = GET "/v1/profiles/{id}/history", Who::Roles(LOOKERS);
    /// Make a token.
    TOKEN_MAKE = POST "/v1/tokens", Who::Roles(&[Admin]);
    /// Take a token back: one's own, or as an administrator another's.
    TOKEN_REVOKE = DELETE "/v1/tokens/{id}", Who::Roles(ALL);
    /// Enrol an authenticator application.
    PARTY_TOTP = POST "/v1/parties/{id}/totp", Who::Roles(&[Subscriber, Admin]);
    /// Erase a person.
    PARTY_ERASE = POST "/v1/parties/{id}/erase", Who::Roles(&[Admin]);
    /// Until when the law forbids erasing.
    PARTY_RETENTION = POST "/v1/parties/{id}/retention", Who::Roles(&[Regulator, Admin]);
    /// Deliver events.
    EVENTS = POST "/v1/events", Who::Roles(&[Feed]);
    /// The live stream.
    STREAM = GET "/v1/stream", Who::Roles(WATCHERS);
    /// Begin to sign in with a passkey.
    SIGN_IN_BEGIN = POST "/v1/sign-in/begin", Who::Everybody;
    /// Sign in with a passkey.
    SIGN_IN_FINISH = POST "/v1/sign-in/finish", Who::Everybody;
    /// Sign in with a password, and a code where there is an authenticator.
    SIGN_IN_PASSWORD = POST "/v1/sign-in/password", Who::Everybody;
    /// Sign in with a recovery code.
    SIGN_IN_RECOVERY = POST "/v1/sign-in/recovery", Who::Everybody;
    /// What the link that says no is about.
    DENY_VIEW = GET "/deny/{code}", Who::Everybody;
    /// Say no by the link.
    DENY = POST "/deny/{code}", Who::Everybody;
    /// Begin to enrol the passkey that one was invited to.
    SIGN_UP_BEGIN = POST "/v1/sign-up/begin", Who::Everybody;
    /// Enrol it, and sign in.
    SIGN_UP_FINISH = POST "/v1/sign-up/finish", Who::Everybody;
    /// The account that is signed in.
    ACCOUNT = GET "/v1/account", Who::Roles(ALL);
    /// Set its password.
    ACCOUNT_PASSWORD = POST "/v1/account/password", Who::Roles(&[Subscriber]);
    /// Make its recovery codes.
    ACCOUNT_RECOVERY = POST "/v1/account/recovery-codes", Who::Roles(&[Subscriber]);
    /// Its passkeys.
    PASSKEY_LIST = GET "/v1/passkeys", Who::Roles(ALL);
    /// Begin to add a passkey.
    PASSKEY_BEGIN = POST "/v1/passkeys/begin", Who::Roles(ALL);
    /// Add a passkey.
    PASSKEY_ADD = POST "/v1/passkeys", Who::Roles(ALL);
    /// Give a passkey another name.
    PASSKEY_RENAME = POST "/v1/passkeys/{id}", Who::Roles(ALL);
    /// Take a passkey off the account.
    PASSKEY_REMOVE = DELETE "/v1/passkeys/{id}", Who::Roles(ALL);
    /// Where the account is signed in.
    SESSION_LIST = GET "/v1/sessions", Who::Roles(ALL);
    /// End every other session.
    SESSION_END_OTHERS = DELETE "/v1/sessions", Who::Roles(ALL);
    /// End one session.
    SESSION_END_ONE = DELETE "/v1/sessions/{id}", Who::Roles(ALL);
    /// Make an account and invite its holder.
    ACCOUNT_MAKE = POST "/v1/accounts", Who::Roles(&[Admin]);
    /// An account with its passkeys and sessions.
    ACCOUNT_GET = GET "/v1/accounts/{id}", Who::Roles(&[Admin]);
    /// Invite the holder of an account again.
    ACCOUNT_INVITE = POST "/v1/accounts/{id}/invitation", Who::Roles(&[Admin]);
    /// Sign an account out everywhere and, if asked, close it.
    ACCOUNT_SHUT_OUT = POST "/v1/accounts/{id}/shut-out", Who::Roles(&[Admin]);
    /// Begin to sign an operation with a passkey.
    OPERATION_SIGN = POST "/v1/operations/{id}/signature", Who::Roles(&[Subscriber]);
    /// Begin to sign the yes to a question.
    APPROVAL_SIGN = POST "/v1/approvals/{id}/signature", Who::Roles(&[Subscriber]);
    /// Sign in with a token.
    SESSION_BEGIN = POST "/v1/session", Who::Everybody;
    /// Sign out.
    SESSION_END = DELETE "/v1/session", Who::Everybody;
    /// Who is signed in.
    ME = GET "/v1/me", Who::Roles(ALL);
    /// This description.
    OPENAPI = GET "/openapi.json", Who::Everybody;
    /// Whether the process runs.
    HEALTHZ = GET "/healthz", Who::Everybody;
    /// Whether it can work.
    READYZ = GET "/readyz", Who::Everybody;
    /// Counters.
    METRICS = GET "/metrics", Who::Roles(&[Regulator, Auditor, Admin]);
    /// The log's signed head.
    LEDGER_CHECKPOINT = GET "/ledger/checkpoint", Who::Everybody;
    /// The log's hashes.
    LEDGER_TILE = GET "/ledger/tile/{*path}", Who::Everybody;
    /// The log's entries.
    LEDGER_ENTRIES = GET "/ledger/tile/entries/{*path}", Who::Roles(&[Regulator, Auditor]);
    /// The way to the page.
    ROOT = GET "/", Who::Everybody;
    /// The console.
    CONSOLE = GET "/console", Who::Everybody;
    /// The console's inner addresses.
    CONSOLE_BELOW = GET "/console/{*path}", Who::Everybody;
    /// Scripts, styles and fonts.
    ASSET = GET "/assets/{*path}", Who::Everybody;
    /// Licences of what is shipped to the browser.
    LICENCE = GET "/licences/{*path}", Who::Everybody;
    /// The icon.
    ICON = GET "/icon.svg", Who::Everybody;
}
