//! Enters people straight into the database, as an import of long ago would have left them.

use simwarden_app::{App, Error, LineSecret, Of, OsEntropy, PartySecret, ProfileSecret, seal, seal_common};
use simwarden_model::{
    Iccid, PartyClass, PartyId, PartyKind, ProfileId, ProfileState, SubscriptionId, Timestamp,
};
use simwarden_store::Indexed;
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;

pub async fn enter(
    app: &App,
    operator: &str,
    name: &str,
    number: &str,
    at: Timestamp,
) -> Result<(PartyId, SubscriptionId), Error> {
    let mut entropy = OsEntropy::new().unwrap();
    let ring = app.keyring();
    let party_id = PartyId::draw(at, &mut entropy);
    let line_id = SubscriptionId::draw(at, &mut entropy);
    let (key, wrapped) = ring.new_subject_key(party_id.as_bytes(), &mut entropy);
    let document = format!("KHM:national_id:{number}");
    let party = Party {
        id: party_id,
        operator: operator.to_owned(),
        kind: PartyKind::Person,
        class: PartyClass::Ordinary,
        doc_idx: Some(ring.index(Indexed::Document, document.as_bytes())),
        sealed: Some(seal(
            &key,
            Of::Party,
            party_id.as_bytes(),
            &PartySecret {
                name: name.to_owned(),
                ..PartySecret::default()
            },
            &mut entropy,
        )?),
        flagged: false,
        created_at: at,
        version: 1,
        import_id: None,
    };
    let secret = LineSecret {
        msisdn: number.to_owned(),
        contact_phone: Some("85511000000".to_owned()),
        language: Some("en".to_owned()),
        ..LineSecret::default()
    };
    let line = Subscription {
        msisdn_idx: Some(ring.index(Indexed::Msisdn, number.as_bytes())),
        sealed: Some(seal(&key, Of::Line, line_id.as_bytes(), &secret, &mut entropy)?),
        ..Subscription::fresh(line_id, operator.to_owned(), party_id, at)
    };
    let live = profile(
        app,
        operator,
        &format!("8985501{number}"),
        Some((&key, line_id)),
        at,
        &mut entropy,
    )?;
    let stock = profile(app, operator, &format!("8985502{number}"), None, at, &mut entropy)?;
    let mut tx = app.store().begin().await?;
    tx.insert_subject_keys(&[SubjectKeyRow {
        party_id,
        wrapped: Some(wrapped),
        retain_until: None,
        destroyed_at: None,
    }])
    .await?;
    tx.insert_parties(&[party]).await?;
    tx.insert_subscriptions(&[line]).await?;
    tx.insert_profiles(&[live, stock]).await?;
    tx.commit().await?;
    Ok((party_id, line_id))
}

fn profile(
    app: &App,
    operator: &str,
    digits: &str,
    of: Option<(&simwarden_store::SubjectKey, SubscriptionId)>,
    at: Timestamp,
    entropy: &mut OsEntropy,
) -> Result<Profile, Error> {
    let ring = app.keyring();
    let iccid = Iccid::parse_without_check(digits).unwrap();
    let id = ProfileId::draw(at, entropy);
    let secret = ProfileSecret {
        iccid: iccid.reveal().to_owned(),
        imsi: Some(format!("99901{}", &digits[digits.len() - 10..])),
        ..ProfileSecret::default()
    };
    let sealed = match of {
        Some((key, _)) => seal(key, Of::Profile, id.as_bytes(), &secret, entropy)?,
        None => seal_common(ring, Of::Profile, id.as_bytes(), &secret, entropy)?,
    };
    Ok(Profile {
        id,
        operator: operator.to_owned(),
        subscription_id: of.map(|(_, line)| line),
        iccid_idx: ring.index(Indexed::Iccid, iccid.reveal().as_bytes()),
        imsi_idx: None,
        eid_idx: None,
        imei_idx: None,
        state: if of.is_some() {
            ProfileState::Enabled
        } else {
            ProfileState::Available
        },
        live: of.is_some(),
        sealed: Some(sealed),
        created_at: at,
        version: 1,
        import_id: None,
    })
}
