//! The ways to access tokens that ask nobody: client credentials, a signed word about a subscriber, and refreshing.

use super::access::Access;
use super::assertion::{claimed_issuer, signed_by};
use super::client::Client;
use super::line::Subject;
use super::oauth::OAuthError;
use super::scope::Asked;
use super::server_key::pairwise;
use super::write::{Do, GatewayWrite};
use super::{Gateway, ciba};
use crate::token_hash;
use crate::world::Needs;
use serde::Serialize;
use simwarden_model::{Role, Timestamp};
use simwarden_store::records::gateway_grant::GatewayGrant;
use std::sync::Arc;
use std::time::Duration;

/// How long an access token lives that stands on a signed word about a subscriber.
const SIGNED_WORD_TTL_S: u32 = 600;
/// How long a refresh token lives unused.
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a client sends to the token endpoint, RFC 6749 and its extensions.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// `client_credentials`, `authorization_code` …
    pub grant_type: Option<String>,
    /// What is asked for.
    pub scope: Option<String>,
    /// Who asks.
    pub client_id: Option<String>,
    /// How it proves that.
    pub client_assertion_type: Option<String>,
    /// The proof.
    pub client_assertion: Option<String>,
    /// A signed word about a subscriber.
    pub assertion: Option<String>,
    /// The request that the subscriber answers out of band.
    pub auth_req_id: Option<String>,
    /// An authorisation code.
    pub code: Option<String>,
    /// Where it was sent.
    pub redirect_uri: Option<String>,
    /// What its challenge was made from.
    pub code_verifier: Option<String>,
    /// A refresh token.
    pub refresh_token: Option<String>,
}

/// What a client gets.
#[derive(Debug, Clone, Serialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds that it lives.
    pub expires_in: u32,
    /// What it allows.
    pub scope: String,
    /// Who the subscriber is to this client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The way to the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// What a token is to be made of.
pub(super) struct Making {
    pub client: Arc<Client>,
    pub asked: Asked,
    pub subject: Option<Subject>,
    pub network: bool,
    pub nonce: Option<String>,
    /// The family of refresh tokens that it continues; none without refreshing.
    pub family: Option<[u8; 16]>,
}

impl Gateway {
    /// The token endpoint.
    ///
    /// # Errors
    /// As RFC 6749 5.2 has them.
    pub async fn token(&self, request: TokenRequest) -> Result<TokenAnswer, OAuthError> {
        let grant = request.grant_type.as_deref();
        let grant = grant.ok_or(OAuthError::bad("invalid_request", "`grant_type` is missing"))?;
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            return self.by_signed_word(&request).await;
        }
        let known = matches!(
            grant,
            "client_credentials" | "authorization_code" | "refresh_token" | ciba::GRANT
        );
        if !known {
            return Err(OAuthError::bad(
                "unsupported_grant_type",
                "use client_credentials, authorization_code, refresh_token, jwt-bearer or ciba",
            ));
        }
        let client = self
            .authenticated(
                request.client_id.as_deref(),
                request.client_assertion_type.as_deref(),
                request.client_assertion.as_deref(),
            )
            .await?;
        match grant {
            "client_credentials" => self.by_credentials(client, &request),
            "authorization_code" => self.by_code(client, &request).await,
            "refresh_token" => self.by_refresh(client, &request).await,
            _ => self.by_ciba(client, &request).await,
        }
    }

    fn by_credentials(&self, client: Arc<Client>, request: &TokenRequest) -> Result<TokenAnswer, OAuthError> {
        if !client.has_grant("client_credentials") {
            return Err(OAuthError::grant());
        }
        let scope = request.scope.as_deref().ok_or(OAuthError::scope())?;
        let mut asked = Asked::parse(scope, |scope| client.may(scope)).ok_or(OAuthError::scope())?;
        // Without a subscriber there is nobody to name and nothing to renew.
        (asked.openid, asked.offline) = (false, false);
        let making = Making {
            client,
            asked,
            subject: None,
            network: false,
            nonce: None,
            family: None,
        };
        self.make(&making).map(|(answer, _)| answer)
    }

    /// RFC 7523 2.1: the client's signed word counts as its authentication too.
    async fn by_signed_word(&self, request: &TokenRequest) -> Result<TokenAnswer, OAuthError> {
        let word = request.assertion.as_deref();
        let word = word.ok_or(OAuthError::bad("invalid_request", "`assertion` is missing"))?;
        let unknown = OAuthError::client("the client is unknown, or the signature is not by one of its keys");
        let Some(issuer) = claimed_issuer(word) else {
            return Err(unknown);
        };
        let Some(client) = self.client(&issuer).await? else {
            return Err(unknown);
        };
        let claims = signed_by(&client, word).ok_or(unknown)?;
        if request.client_id.as_deref().is_some_and(|id| id != client.id) {
            return Err(OAuthError::client("`client_id` is not who signed"));
        }
        if request.client_assertion.is_some() {
            let other = self
                .authenticated(
                    request.client_id.as_deref(),
                    request.client_assertion_type.as_deref(),
                    request.client_assertion.as_deref(),
                )
                .await?;
            if other.id != client.id {
                return Err(OAuthError::client("two clients in one request"));
            }
        }
        self.fresh(&client, &claims, &self.audiences())
            .map_err(|why| OAuthError::bad("invalid_grant", why))?;
        if claims.iat.is_none() {
            return Err(OAuthError::bad("invalid_grant", "`iat` is missing"));
        }
        if !client.has_grant("jwt-bearer") {
            return Err(OAuthError::grant());
        }
        let scope = claims.scope.as_deref().ok_or(OAuthError::scope())?;
        let mut asked = Asked::parse(scope, |scope| client.may(scope)).ok_or(OAuthError::scope())?;
        asked.offline = false;
        let purpose = asked.purpose.clone().ok_or(OAuthError::scope())?;
        let hint = claims.sub.as_deref().unwrap_or("");
        let (subject, network) = self.hinted(hint).await?.ok_or(OAuthError::consent())?;
        if !self.agrees(subject.line, &purpose, &client.id).await? {
            return Err(OAuthError::consent());
        }
        let making = Making {
            client,
            asked,
            subject: Some(subject),
            network,
            nonce: None,
            family: None,
        };
        self.make(&making).map(|(answer, _)| answer)
    }

    /// The line that a hint stands for, and whether the network vouches for it.
    pub(super) async fn hinted(&self, hint: &str) -> Result<Option<(Subject, bool)>, OAuthError> {
        if let Some(token) = hint.strip_prefix("operatortoken:") {
            return Ok(self.proven(token).map(|subject| (subject, true)));
        }
        let Some(number) = hint.strip_prefix("tel:") else {
            return Ok(None);
        };
        let found = self.subject_of(number).await?;
        Ok(found.map(|subject| (subject, false)))
    }

    /// Makes an access token and what goes with it; answers also its hash.
    pub(super) fn make(&self, making: &Making) -> Result<(TokenAnswer, [u8; 32]), OAuthError> {
        let client = &making.client;
        let mut ttl_s = client.settings.access_token_ttl_s;
        if making.subject.is_some() && making.family.is_none() {
            ttl_s = ttl_s.min(SIGNED_WORD_TTL_S);
        }
        let now = self.wall();
        let secret = self.keep_token(Access {
            client: client.id.clone(),
            scopes: making.asked.scopes.clone().into(),
            purpose: making.asked.purpose.as_deref().map(Into::into),
            subject: making.subject.clone(),
            network: making.network,
            expires_at: now.plus(Duration::from_secs(ttl_s.into())),
        })?;
        let hash = token_hash(&secret);
        let id_token = match &making.subject {
            Some(subject) if making.asked.openid => Some(self.id_token(making, subject, now, ttl_s)?),
            _ => None,
        };
        let answer = TokenAnswer {
            access_token: secret,
            token_type: "Bearer",
            expires_in: ttl_s,
            scope: making.asked.written(),
            id_token,
            refresh_token: None,
        };
        Ok((answer, hash))
    }

    fn id_token(
        &self,
        making: &Making,
        subject: &Subject,
        now: Timestamp,
        ttl_s: u32,
    ) -> Result<String, OAuthError> {
        let mut claims = serde_json::json!({
            "iss": self.inner.config.issuer,
            "sub": pairwise(self.app().keyring(), &making.client.id, subject.line.as_bytes()),
            "aud": making.client.id,
            "iat": now.as_secs(),
            "auth_time": now.as_secs(),
            "exp": now.as_secs() + i64::from(ttl_s),
        });
        if let Some(nonce) = &making.nonce {
            claims["nonce"] = nonce.clone().into();
        }
        Ok(self.inner.key.sign(&claims)?)
    }

    /// Adds a refresh token to an answer, and uses up the one before it.
    pub(super) async fn with_refresh(
        &self,
        mut answer: TokenAnswer,
        making: &Making,
        before: Option<[u8; 32]>,
    ) -> Result<TokenAnswer, OAuthError> {
        let (Some(subject), Some(family)) = (&making.subject, making.family) else {
            return Ok(answer);
        };
        let secret = format!("swr_{}", crate::entry::hex(&self.draw::<32>()));
        let row = GatewayGrant {
            hash: token_hash(&secret),
            family,
            client_id: making.client.id.clone(),
            subscription_id: subject.line,
            scopes: making.asked.written(),
            purpose: making.asked.purpose.clone().unwrap_or_default(),
            network: making.network,
            expires_at: self.wall().plus(REFRESH_LIFE),
            used_at: None,
            revoked_at: None,
        };
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                if let Some(before) = before {
                    draft.gateway(GatewayWrite::UseGrant(before));
                }
                draft.gateway(GatewayWrite::Grant(row.clone()));
                Ok(())
            },
        };
        self.app().commit(job).await?;
        answer.refresh_token = Some(secret);
        Ok(answer)
    }

    async fn by_refresh(
        &self,
        client: Arc<Client>,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OAuthError> {
        let gone = || {
            OAuthError::bad(
                "invalid_grant",
                "the refresh token is unknown, over or was taken back",
            )
        };
        let secret = request.refresh_token.as_deref();
        let secret = secret.ok_or(OAuthError::bad("invalid_request", "`refresh_token` is missing"))?;
        if secret.len() > 100 {
            return Err(gone());
        }
        let hash = token_hash(secret);
        let row = self.app().store().gateway_grant(hash).await?.ok_or_else(gone)?;
        if row.client_id != client.id || row.revoked_at.is_some() || row.expires_at <= self.wall() {
            return Err(gone());
        }
        if row.used_at.is_some() {
            // Two hold it, and one of them stole it: nobody keeps anything.
            self.end_family(row.family).await?;
            return Err(gone());
        }
        if !self.agrees(row.subscription_id, &row.purpose, &client.id).await? {
            self.end_family(row.family).await?;
            return Err(gone());
        }
        let granted = Asked::parse(&row.scopes, |scope| client.may(scope)).ok_or_else(gone)?;
        let asked = match request.scope.as_deref() {
            None => granted,
            Some(less) => {
                let mut less = Asked::parse(less, |scope| granted.scopes.iter().any(|own| own == scope))
                    .ok_or(OAuthError::scope())?;
                if less
                    .purpose
                    .as_ref()
                    .is_some_and(|purpose| *purpose != row.purpose)
                {
                    return Err(OAuthError::scope());
                }
                less.purpose = granted.purpose;
                less.offline = true;
                less
            }
        };
        let subject = self.subject_by_id(row.subscription_id).await?.ok_or_else(gone)?;
        let making = Making {
            client,
            asked,
            subject: Some(subject),
            // The network spoke once, when the family began: since then the SIM may have changed.
            network: false,
            nonce: None,
            family: Some(row.family),
        };
        let (answer, made) = self.make(&making)?;
        match self.with_refresh(answer, &making, Some(hash)).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.drop_token(&made);
                match error {
                    // Somebody used it in this very moment.
                    OAuthError::App(error) if error.code == "changed_in_between" => {
                        self.end_family(row.family).await?;
                        Err(gone())
                    }
                    other => Err(other),
                }
            }
        }
    }

    async fn end_family(&self, family: [u8; 16]) -> Result<(), OAuthError> {
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                draft.begin_entry("gateway.refresh_ended", Role::System, None);
                draft.gateway(GatewayWrite::RevokeFamily(family));
                draft.end_entry().map(drop)
            },
        };
        Ok(self.app().commit(job).await?)
    }

    /// Takes a token back, RFC 7009. Unknown ones are gone already.
    ///
    /// # Errors
    /// When the client does not prove who it is.
    pub async fn revoke(&self, request: TokenRequest, token: &str) -> Result<(), OAuthError> {
        let client = self
            .authenticated(
                request.client_id.as_deref(),
                request.client_assertion_type.as_deref(),
                request.client_assertion.as_deref(),
            )
            .await?;
        if token.len() > 100 {
            return Ok(());
        }
        let hash = token_hash(token);
        self.drop_tokens(|other, access| *other != hash || access.client != client.id);
        if let Some(row) = self.app().store().gateway_grant(hash).await?
            && row.client_id == client.id
        {
            self.end_family(row.family).await?;
        }
        Ok(())
    }
}
