//! One download, from the activation code to the delivered result (SGP.22 3.1.3).

use super::Es10;
use super::es9plus::{self, Refusal, Request};
use super::profiles::{Pending, notification_sent, pending_notifications};
use super::segments::{hash_confirmation_code, segments, sent_metadata};
use crate::activation_code::ActivationCode;
use crate::certificate::Certificate;
use crate::device::Device;
use crate::error::{EuiccError, Result};
use crate::hex;
use crate::metadata::Metadata;
use crate::pki::oid_content;
use crate::tlv::{self, join, number};
use serde_json::Value;

/// Why a device gives up (`CancelSessionReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The user said no. `lpac` says this after every failure too.
    EndUserRejection = 0,
    /// Later.
    Postponed = 1,
    /// The user did not answer.
    Timeout = 2,
    /// A policy rule of the profile is not acceptable.
    PolicyRule = 3,
    /// The package carries other metadata than was shown.
    MetadataMismatch = 4,
    /// The chip did not take the package.
    LoadError = 5,
    /// Anything else.
    Undefined = 127,
}

/// How a download ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The profile is on the chip, disabled.
    Installed {
        /// Its ICCID as on the chip.
        iccid: [u8; 10],
    },
    /// The chip did not take the package: `BppCommandId` and `ErrorReason`.
    NotInstalled {
        /// In which command.
        command: u64,
        /// Why.
        reason: u64,
    },
    /// The server refused.
    Refused(Refusal),
    /// The chip did not believe the server: the function, and the code in its answer.
    ChipRefused {
        /// The ES10b function.
        function: &'static str,
        /// Its error code.
        code: u64,
    },
    /// The device did not believe the server.
    DeviceRefused(&'static str),
    /// The user or the device gave up.
    Cancelled,
    /// The chip gave no result.
    NoResult,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Make this call and hand the answer to [`Download::answer`].
    Ask(Request),
    /// Ask the user for the confirmation code and hand it to [`Download::confirm`], or cancel.
    AskConfirmationCode {
        /// What is going to be installed.
        metadata: Box<Metadata>,
        /// The code before was wrong.
        refused: Option<Refusal>,
    },
    /// It is over.
    Done(Outcome),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Initiate,
    Authenticate,
    Confirm,
    Package,
    Notify { seq: u64, outcome: Outcome },
    Cancel(Outcome),
    Over,
}

/// One download in progress.
#[derive(Debug, Clone)]
pub struct Download {
    code: ActivationCode,
    device: Device,
    confirmation_code: Option<String>,
    phase: Phase,
    transaction: String,
    transaction_id: Vec<u8>,
    /// `smdpSigned2`, `smdpSignature2`, CERT.DPpb and metadata, once they have come.
    offer: Option<Offer>,
    /// Whether a refusal is followed by a cancellation with reason 0, as `lpac` does it.
    pub cancel_after_refusal: bool,
    /// Whether a wrong confirmation code ends the download instead of being asked for again.
    pub give_up_after_wrong_code: bool,
}

#[derive(Debug, Clone)]
struct Offer {
    signed2: Vec<u8>,
    signature2: Vec<u8>,
    certificate: Vec<u8>,
    metadata: Vec<u8>,
    code_required: bool,
}

impl Download {
    /// Begins: the chip gives a challenge, the first call is `initiateAuthentication`.
    ///
    /// # Errors
    /// [`EuiccError`] when the chip does not answer as it should.
    pub fn begin(
        es10: Es10<'_>,
        code: ActivationCode,
        device: Device,
        confirmation_code: Option<&str>,
    ) -> Result<(Self, Request)> {
        let challenge = es10(&tlv::tlv(0xBF2E, []))?;
        let challenge = tlv::only(&challenge, 0xBF2E)?
            .inside()
            .expect(0x80)?
            .array::<16>()?;
        let info1 = es10(&tlv::tlv(0xBF20, []))?;
        let request = es9plus::initiate(&challenge, &info1, &code.smdp);
        let this = Self {
            code,
            device,
            confirmation_code: confirmation_code.map(str::to_owned),
            phase: Phase::Initiate,
            transaction: String::new(),
            transaction_id: Vec::new(),
            offer: None,
            cancel_after_refusal: true,
            give_up_after_wrong_code: false,
        };
        Ok((this, request))
    }

    /// The id of the session, once the server has given it: hexadecimal, as it wrote it.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        &self.transaction
    }

    /// Takes the answer to the last call: HTTP status and body.
    ///
    /// # Errors
    /// [`EuiccError`] when the chip fails, or an answer lacks what it must have; a refusal is an [`Outcome`].
    pub fn answer(&mut self, es10: Es10<'_>, status: u16, body: &[u8]) -> Result<Next> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Initiate => match es9plus::read("initiateAuthentication", status, body) {
                Ok(answer) => self.authenticate(es10, &answer),
                // The chip has seen no server yet: there is nothing to cancel.
                Err(refusal) => Ok(Next::Done(Outcome::Refused(refusal))),
            },
            Phase::Authenticate => match es9plus::read("authenticateClient", status, body) {
                Ok(answer) => self.take_offer(es10, &answer),
                Err(refusal) => self.refused(es10, refusal),
            },
            Phase::Package => match es9plus::read("getBoundProfilePackage", status, body) {
                Ok(answer) => self.load(es10, &answer),
                Err(refusal)
                    if refusal.subject == "8.2.7"
                        && refusal.reason != "6.4"
                        && !self.give_up_after_wrong_code =>
                {
                    self.ask_code(Some(refusal))
                }
                Err(refusal) => self.refused(es10, refusal),
            },
            Phase::Notify { seq, outcome } => {
                if (200..300).contains(&status) {
                    notification_sent(es10, seq)?;
                }
                Ok(Next::Done(outcome))
            }
            Phase::Cancel(outcome) => Ok(Next::Done(outcome)),
            Phase::Confirm | Phase::Over => Err(EuiccError::OutOfOrder("no call is under way")),
        }
    }

    /// Takes the confirmation code that was asked for; in the same session after a wrong one.
    ///
    /// # Errors
    /// [`EuiccError::OutOfOrder`] when none was asked for, or as [`Self::answer`].
    pub fn confirm(&mut self, es10: Es10<'_>, code: &str) -> Result<Next> {
        if self.phase != Phase::Confirm {
            return Err(EuiccError::OutOfOrder("no confirmation code was asked for"));
        }
        self.confirmation_code = Some(code.to_owned());
        self.prepare(es10)
    }

    /// Gives up; the chip signs it and the server is told.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn cancel(&mut self, es10: Es10<'_>, reason: CancelReason) -> Result<Next> {
        self.cancel_with(es10, reason, Outcome::Cancelled)
    }

    fn authenticate(&mut self, es10: Es10<'_>, answer: &Value) -> Result<Next> {
        let signed1 = es9plus::bytes(answer, "serverSigned1")?;
        let signature1 = es9plus::bytes(answer, "serverSignature1")?;
        let ci_key_id = es9plus::bytes(answer, "euiccCiPKIdToBeUsed")?;
        let certificate = es9plus::bytes(answer, "serverCertificate")?;
        answer["transactionId"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.transaction);
        self.transaction_id = hex::decode(&self.transaction)?;
        let mut fields = tlv::only(&signed1, 0x30)?.inside();
        if fields.expect(0x80)?.value != self.transaction_id {
            return Ok(Next::Done(Outcome::DeviceRefused(
                "the signed transaction id is another",
            )));
        }
        fields.expect(0x81)?;
        if !fields.expect(0x83)?.text()?.eq_ignore_ascii_case(&self.code.smdp) {
            return Ok(Next::Done(Outcome::DeviceRefused(
                "the signed address is another",
            )));
        }
        if let Some(oid) = &self.code.smdp_oid {
            let shown = Certificate::from_der(&certificate)?.registered_id();
            if shown != Some(oid_content(oid)?) {
                return Ok(Next::Done(Outcome::DeviceRefused(
                    "the server has another OID than the code says",
                )));
            }
        }
        let context = self.context();
        let command = join(
            0xBF38,
            &[&signed1, &signature1, &ci_key_id, &certificate, &context],
        );
        let response = es10(&command)?;
        if let Some(code) = error_code(&response, 0xBF38)? {
            let function = "AuthenticateServer";
            return Ok(Next::Done(Outcome::ChipRefused { function, code }));
        }
        self.phase = Phase::Authenticate;
        Ok(self.ask("authenticateClient", "authenticateServerResponse", &response))
    }

    /// `ctxParams1`: the matching id, and the device with a release of 4G as its only capability.
    fn context(&self) -> Vec<u8> {
        let matching_id = match self.code.matching_id.as_str() {
            "" => Vec::new(),
            id => tlv::tlv(0x80, id),
        };
        let capabilities = tlv::tlv(0xA1, tlv::tlv(0x85, [15, 0, 0]));
        let imei = self.device.imei.map(|it| tlv::tlv(0x82, it)).unwrap_or_default();
        let device = join(0xA1, &[&tlv::tlv(0x80, self.device.tac), &capabilities, &imei]);
        join(0xA0, &[&matching_id, &device])
    }

    fn take_offer(&mut self, es10: Es10<'_>, answer: &Value) -> Result<Next> {
        let offer = Offer {
            signed2: es9plus::bytes(answer, "smdpSigned2")?,
            signature2: es9plus::bytes(answer, "smdpSignature2")?,
            certificate: es9plus::bytes(answer, "smdpCertificate")?,
            metadata: es9plus::bytes(answer, "profileMetadata")?,
            code_required: false,
        };
        let mut fields = tlv::only(&offer.signed2, 0x30)?.inside();
        let transaction = fields.expect(0x80)?.value == self.transaction_id;
        let code_required = fields.expect(0x01)?.array::<1>()? != [0];
        Metadata::parse(&offer.metadata)?;
        self.offer = Some(Offer {
            code_required,
            ..offer
        });
        if !transaction {
            let outcome = Outcome::DeviceRefused("the signed transaction id is another");
            return self.cancel_with(es10, CancelReason::Undefined, outcome);
        }
        if code_required && self.confirmation_code.is_none() {
            return self.ask_code(None);
        }
        self.prepare(es10)
    }

    fn ask_code(&mut self, refused: Option<Refusal>) -> Result<Next> {
        let offer = self
            .offer
            .as_ref()
            .ok_or(EuiccError::OutOfOrder("nothing is on offer"))?;
        let metadata = Box::new(Metadata::parse(&offer.metadata)?);
        self.phase = Phase::Confirm;
        Ok(Next::AskConfirmationCode { metadata, refused })
    }

    fn prepare(&mut self, es10: Es10<'_>) -> Result<Next> {
        let offer = self
            .offer
            .as_ref()
            .ok_or(EuiccError::OutOfOrder("nothing is on offer"))?;
        // A code that is not asked for is not sent: the server would have nothing to compare it with.
        let hash = match &self.confirmation_code {
            Some(code) if offer.code_required => {
                tlv::tlv(0x04, hash_confirmation_code(code, &self.transaction_id))
            }
            _ => Vec::new(),
        };
        let response = es10(&join(
            0xBF21,
            &[&offer.signed2, &offer.signature2, &hash, &offer.certificate],
        ))?;
        if let Some(code) = error_code(&response, 0xBF21)? {
            let function = "PrepareDownload";
            let outcome = Outcome::ChipRefused { function, code };
            return self.cancel_with(es10, CancelReason::EndUserRejection, outcome);
        }
        self.phase = Phase::Package;
        Ok(self.ask("getBoundProfilePackage", "prepareDownloadResponse", &response))
    }

    fn load(&mut self, es10: Es10<'_>, answer: &Value) -> Result<Next> {
        let package = es9plus::bytes(answer, "boundProfilePackage")?;
        let shown = self.offer.as_ref().map(|it| it.metadata.as_slice());
        if shown != Some(&sent_metadata(&package)?) {
            let outcome = Outcome::DeviceRefused("the package has other metadata than was shown");
            return self.cancel_with(es10, CancelReason::MetadataMismatch, outcome);
        }
        let mut result = Vec::new();
        for piece in segments(&package)? {
            result = es10(&piece)?;
            if !result.is_empty() {
                break;
            }
        }
        if result.is_empty() {
            return Ok(Next::Done(Outcome::NoResult));
        }
        let (seq, outcome) = read_result(&result)?;
        match pending_notifications(es10)?.into_iter().find(|it| it.seq == seq) {
            Some(Pending { request, .. }) => {
                self.phase = Phase::Notify { seq, outcome };
                Ok(Next::Ask(request))
            }
            None => Ok(Next::Done(outcome)),
        }
    }

    fn refused(&mut self, es10: Es10<'_>, refusal: Refusal) -> Result<Next> {
        let outcome = Outcome::Refused(refusal);
        if self.cancel_after_refusal {
            self.cancel_with(es10, CancelReason::EndUserRejection, outcome)
        } else {
            Ok(Next::Done(outcome))
        }
    }

    fn cancel_with(&mut self, es10: Es10<'_>, reason: CancelReason, outcome: Outcome) -> Result<Next> {
        self.phase = Phase::Over;
        if self.transaction_id.is_empty() {
            return Ok(Next::Done(outcome));
        }
        let command = [tlv::tlv(0x80, &self.transaction_id), number(0x81, reason as u64)];
        let response = es10(&tlv::tlv(0xBF41, command.concat()))?;
        self.phase = Phase::Cancel(outcome);
        Ok(self.ask("cancelSession", "cancelSessionResponse", &response))
    }

    fn ask(&self, function: &'static str, field: &str, der: &[u8]) -> Next {
        Next::Ask(es9plus::with_transaction(function, &self.transaction, field, der))
    }
}

/// The code in `A1{80 transaction id, 02 code}`, if the chip answered with an error.
fn error_code(answer: &[u8], tag: u32) -> Result<Option<u64>> {
    let Some(error) = tlv::only(answer, tag)?.inside().optional(0xA1)? else {
        return Ok(None);
    };
    let mut fields = error.inside();
    fields.expect(0x80)?;
    fields.expect(0x02)?.number().map(Some)
}

/// The number of an installation result, and what it says.
fn read_result(result: &[u8]) -> Result<(u64, Outcome)> {
    let mut data = tlv::only(result, 0xBF37)?.inside().expect(0xBF27)?.inside();
    data.expect(0x80)?;
    let mut about = data.expect(0xBF2F)?.inside();
    let seq = about.expect(0x80)?.number()?;
    about.expect(0x81)?;
    about.expect(0x0C)?;
    let iccid = about.optional(0x5A)?.map(|it| it.array()).transpose()?;
    data.expect(0x06)?;
    let mut last = data.expect(0xA2)?.inside();
    let outcome = match (last.optional(0xA0)?, iccid) {
        (Some(_), Some(iccid)) => Outcome::Installed { iccid },
        _ => {
            let mut error = last.expect(0xA1)?.inside();
            let command = error.expect(0x80)?.number()?;
            let reason = error.expect(0x81)?.number()?;
            Outcome::NotInstalled { command, reason }
        }
    };
    Ok((seq, outcome))
}
