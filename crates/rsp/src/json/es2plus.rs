//! ES2+ bodies. The `header` of a request is required there: it names the operator's call.

use super::{SUCCESS, failed_status, parse, push_text, required};
use crate::effect::NotificationPoint;
use crate::es2plus::{CancelOrder, ConfirmOrder, Confirmed, DownloadOrder};
use crate::status::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use simwarden_model::{Eid, Iccid, Timestamp};
use zeroize::Zeroizing;

/// The longest identifier of a caller or call, in bytes.
const IDENTIFIER_BYTES_MAX: usize = 255;

/// Who calls, by their own word (the client certificate proves it), and which call it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// functionRequesterIdentifier.
    pub requester: String,
    /// functionCallIdentifier: the same for a call that is repeated.
    pub call: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    function_requester_identifier: Option<String>,
    function_call_identifier: Option<String>,
}

fn caller(header: Option<Header>) -> Result<Caller, Refusal> {
    let header = required(header)?;
    let identifier = |text: Option<String>| match required(text)? {
        text if text.is_empty() => Err(Refusal::Missing),
        text if text.len() > IDENTIFIER_BYTES_MAX => Err(Refusal::Malformed),
        text => Ok(text),
    };
    Ok(Caller {
        requester: identifier(header.function_requester_identifier)?,
        call: identifier(header.function_call_identifier)?,
    })
}

/// 18 to 20 digits, padded to 20 with F or not.
fn iccid(text: &str) -> Result<Iccid, Refusal> {
    let digits = text.trim_end_matches(['F', 'f']);
    Iccid::parse_vouched(digits)
        .map(|it| it.0)
        .map_err(|_| Refusal::Malformed)
}

fn eid(text: &str) -> Result<Eid, Refusal> {
    Eid::parse_vouched(text)
        .map(|it| it.0)
        .map_err(|_| Refusal::Malformed)
}

/// A field that is not there and one that is empty mean the same, except for a matching id.
fn given(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}

fn optional<T>(field: Option<String>, read: fn(&str) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    given(field).map(|text| read(&text)).transpose()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Download {
    header: Option<Header>,
    eid: Option<String>,
    iccid: Option<String>,
    profile_type: Option<String>,
}

/// Reads the body of downloadOrder.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn download_order(body: &[u8]) -> Result<(Caller, DownloadOrder), Refusal> {
    let body: Download = parse(body)?;
    let caller = caller(body.header)?;
    let request = DownloadOrder {
        eid: optional(body.eid, eid)?,
        iccid: optional(body.iccid, iccid)?,
        profile_type: given(body.profile_type),
    };
    if request.iccid.is_none() && request.profile_type.is_none() {
        return Err(Refusal::Missing);
    }
    Ok((caller, request))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Confirm {
    header: Option<Header>,
    iccid: Option<String>,
    eid: Option<String>,
    matching_id: Option<String>,
    confirmation_code: Option<Zeroizing<String>>,
    smds_address: Option<String>,
    release_flag: Option<bool>,
}

/// Reads the body of confirmOrder.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn confirm_order(body: &[u8]) -> Result<(Caller, ConfirmOrder), Refusal> {
    let body: Confirm = parse(body)?;
    let caller = caller(body.header)?;
    let request = ConfirmOrder {
        iccid: iccid(&required(body.iccid)?)?,
        eid: optional(body.eid, eid)?,
        matching_id: body.matching_id,
        confirmation_code: body.confirmation_code,
        smds_address: given(body.smds_address),
        release: required(body.release_flag)?,
    };
    Ok((caller, request))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancel {
    header: Option<Header>,
    iccid: Option<String>,
    eid: Option<String>,
    matching_id: Option<String>,
    final_profile_status_indicator: Option<String>,
}

/// Reads the body of cancelOrder.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn cancel_order(body: &[u8]) -> Result<(Caller, CancelOrder), Refusal> {
    let body: Cancel = parse(body)?;
    let caller = caller(body.header)?;
    let request = CancelOrder {
        iccid: iccid(&required(body.iccid)?)?,
        eid: optional(body.eid, eid)?,
        matching_id: body.matching_id,
        back_to_stock: match required(body.final_profile_status_indicator)?.as_str() {
            "Available" => true,
            "Unavailable" => false,
            _ => return Err(Refusal::Malformed),
        },
    };
    Ok((caller, request))
}

#[derive(Deserialize)]
struct Release {
    header: Option<Header>,
    iccid: Option<String>,
}

/// Reads the body of releaseProfile.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn release_profile(body: &[u8]) -> Result<(Caller, Iccid), Refusal> {
    let body: Release = parse(body)?;
    Ok((caller(body.header)?, iccid(&required(body.iccid)?)?))
}

/// Answers of ES2+ that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Es2Answer<'a> {
    /// downloadOrder.
    Downloaded(Iccid),
    /// confirmOrder, with the address of this server.
    Confirmed(&'a Confirmed, &'a str),
    /// cancelOrder and releaseProfile.
    Done,
}

impl Es2Answer<'_> {
    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = format!("{{{SUCCESS}");
        match self {
            Self::Downloaded(iccid) => push_text(&mut out, "iccid", iccid.reveal()),
            Self::Confirmed(confirmed, address) => {
                if let Some(eid) = &confirmed.eid {
                    push_text(&mut out, "eid", eid.reveal());
                }
                let id = confirmed.matching_id.as_ref().map_or("", |id| id.reveal());
                push_text(&mut out, "matchingId", id);
                push_text(&mut out, "smdpAddress", address);
            }
            Self::Done => {}
        }
        out + "}"
    }
}

/// HandleDownloadProgressInfo, from the SM-DP+ to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressInfo<'a> {
    /// Who calls (this server) and which call it is.
    pub caller: Caller,
    /// The chip, when it is known.
    pub eid: Option<Eid>,
    /// The profile.
    pub iccid: Iccid,
    /// Its type.
    pub profile_type: &'a str,
    /// When.
    pub at: Timestamp,
    /// Which point was reached.
    pub point: NotificationPoint,
    /// `None` when it was reached well.
    pub refusal: Option<Refusal>,
    /// The chip's own words.
    pub result: Option<&'a [u8]>,
}

impl ProgressInfo<'_> {
    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"header\":{\"functionRequesterIdentifier\":");
        out.push_str(&serde_json::Value::from(self.caller.requester.as_str()).to_string());
        push_text(&mut out, "functionCallIdentifier", &self.caller.call);
        out.push('}');
        if let Some(eid) = &self.eid {
            push_text(&mut out, "eid", eid.reveal());
        }
        push_text(&mut out, "iccid", self.iccid.reveal());
        push_text(&mut out, "profileType", self.profile_type);
        // To the second, as SGP.22 writes times.
        let at = self.at.to_string();
        let at = at.split('.').next().unwrap_or(&at);
        push_text(&mut out, "timestamp", &format!("{}Z", at.trim_end_matches('Z')));
        out.push_str(&format!(",\"notificationPointId\":{}", self.point.id()));
        out.push_str(",\"notificationPointStatus\":");
        match self.refusal {
            None => out.push_str(r#"{"status":"Executed-Success"}"#),
            Some(refusal) => out.push_str(&failed_status(refusal)),
        }
        if let Some(result) = self.result {
            push_text(&mut out, "resultData", &STANDARD.encode(result));
        }
        out + "}"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#""header":{"functionRequesterIdentifier":"op","functionCallIdentifier":"1"}"#;

    #[test]
    fn reads_orders_in_every_printed_form() {
        let body = format!(r#"{{{HEADER},"iccid":"8949449999999990155F","profileType":"t","more":[1]}}"#);
        let (caller, order) = download_order(body.as_bytes()).unwrap();
        assert_eq!((caller.requester.as_str(), caller.call.as_str()), ("op", "1"));
        assert_eq!(order.iccid.unwrap().reveal(), "8949449999999990155");
        for (body, refusal) in [
            (r#"{"iccid":"8949449999999990155"}"#.to_owned(), Refusal::Missing),
            (
                r#"{"header":{"functionRequesterIdentifier":"op"},"iccid":"8949449999999990155"}"#.to_owned(),
                Refusal::Missing,
            ),
            (format!("{{{HEADER}}}"), Refusal::Missing),
            (format!(r#"{{{HEADER},"iccid":"12"}}"#), Refusal::Malformed),
            (format!(r#"{{{HEADER},"iccid":7}}"#), Refusal::Malformed),
            (
                format!(r#"{{{HEADER},"iccid":"8949449999999990155","eid":"89"}}"#),
                Refusal::Malformed,
            ),
            (format!("{{{HEADER}"), Refusal::Malformed),
        ] {
            assert_eq!(download_order(body.as_bytes()).unwrap_err(), refusal, "{body}");
        }
        let body =
            format!(r#"{{{HEADER},"iccid":"8949449999999990155","matchingId":"","releaseFlag":true}}"#);
        let (_, order) = confirm_order(body.as_bytes()).unwrap();
        assert_eq!((order.matching_id.as_deref(), order.release), (Some(""), true));
        let body = format!(r#"{{{HEADER},"iccid":"8949449999999990155"}}"#);
        assert_eq!(confirm_order(body.as_bytes()).unwrap_err(), Refusal::Missing);
        assert_eq!(cancel_order(body.as_bytes()).unwrap_err(), Refusal::Missing);
        assert!(release_profile(body.as_bytes()).is_ok());
    }

    #[test]
    fn the_operator_is_told_in_the_form_of_the_standard() {
        let info = ProgressInfo {
            caller: Caller {
                requester: "smdp\"1".to_owned(),
                call: "7".to_owned(),
            },
            eid: None,
            iccid: Iccid::parse("8949449999999990155").unwrap(),
            profile_type: "t",
            at: "2026-11-22T10:00:00.123Z".parse().unwrap(),
            point: NotificationPoint::Confirmation,
            refusal: Some(Refusal::CodeWrong),
            result: Some(&[1, 2, 3]),
        };
        let json: serde_json::Value = serde_json::from_str(&info.to_json()).unwrap();
        assert_eq!(json["timestamp"], "2026-11-22T10:00:00Z");
        assert_eq!(json["notificationPointId"], 2);
        assert_eq!(
            json["notificationPointStatus"]["statusCodeData"]["subjectCode"],
            "8.2.7"
        );
        assert_eq!(json["header"]["functionRequesterIdentifier"], "smdp\"1");
        assert_eq!(json["resultData"], "AQID");
    }
}
