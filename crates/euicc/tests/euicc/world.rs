//! A chip, a server and a device together.

use crate::chance::Seed;
use crate::server::{HOST, Server, iccid, metadata, package};
use base64::Engine;
use simwarden_euicc::lpa::{self, Download, Next, Outcome};
use simwarden_euicc::pki::{Pki, PkiOptions};
use simwarden_euicc::{ActivationCode, ChipSettings, Device, Euicc};
use simwarden_model::{Eid, Imei};
use std::sync::OnceLock;

pub const EID: &str = "89049032123451234512345678901235";

pub struct World {
    pub chip: Euicc,
    pub server: Server,
    pub chance: Seed,
}

pub fn pki(seed: u64) -> Pki {
    let begin = "2026-01-01T00:00:00Z".parse().unwrap();
    Pki::make(PkiOptions::new(begin, HOST), &mut Seed(seed)).unwrap()
}

pub fn code() -> ActivationCode {
    ActivationCode::parse(&format!("LPA:1${HOST}$MATCHING-1")).unwrap()
}

pub fn device() -> Device {
    Device::of(&Imei::parse("490154203237518").unwrap())
}

impl World {
    pub fn new() -> Self {
        static PKI: OnceLock<Pki> = OnceLock::new();
        let pki = PKI.get_or_init(|| pki(1)).clone();
        let mut chance = Seed(2);
        let identity = pki.chip(Eid::parse(EID).unwrap(), &mut chance).unwrap();
        Self {
            chip: Euicc::new(identity, ChipSettings::default()),
            server: Server::new(pki, metadata(&iccid(), 0), package(&iccid(), 4000)),
            chance,
        }
    }

    /// One download to its end; a code that is asked for comes out of `codes`, in order.
    pub fn download(&mut self, codes: &[&str]) -> Outcome {
        let Self { chip, server, chance } = self;
        let mut es10 = |command: &[u8]| chip.process(command, chance);
        let mut codes = codes.iter();
        let (mut download, mut request) = Download::begin(&mut es10, code(), device(), None).unwrap();
        loop {
            let (status, body) = server.call(request.function, &request.body);
            let mut next = download.answer(&mut es10, status, &body).unwrap();
            if let Next::AskConfirmationCode { .. } = next {
                next = match codes.next() {
                    Some(code) => download.confirm(&mut es10, code).unwrap(),
                    None => download.cancel(&mut es10, lpa::CancelReason::Timeout).unwrap(),
                };
            }
            match next {
                Next::Ask(following) => request = following,
                Next::Done(outcome) => return outcome,
                Next::AskConfirmationCode { .. } => unreachable!("asked only after a call"),
            }
        }
    }

    /// A download up to its package, which is given back instead of being loaded.
    pub fn fetch(&mut self) -> Vec<u8> {
        let Self { chip, server, chance } = self;
        let mut es10 = |command: &[u8]| chip.process(command, chance);
        let (mut download, mut request) = Download::begin(&mut es10, code(), device(), None).unwrap();
        for _ in 0..2 {
            let (status, body) = server.call(request.function, &request.body);
            match download.answer(&mut es10, status, &body).unwrap() {
                Next::Ask(next) => request = next,
                other => panic!("{other:?}"),
            }
        }
        let (_, body) = server.call(request.function, &request.body);
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let package = answer["boundProfilePackage"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(package).unwrap()
    }

    /// Delivers every notification that waits, and takes it off the chip.
    pub fn deliver(&mut self) {
        let Self { chip, server, chance } = self;
        let mut es10 = |command: &[u8]| chip.process(command, chance);
        for pending in lpa::pending_notifications(&mut es10).unwrap() {
            assert_eq!(pending.address, HOST);
            assert_eq!(
                server.call(pending.request.function, &pending.request.body).0,
                204
            );
            assert!(lpa::notification_sent(&mut es10, pending.seq).unwrap());
        }
    }

    pub fn with_chip<T>(&mut self, run: impl FnOnce(lpa::Es10<'_>) -> simwarden_euicc::Result<T>) -> T {
        let Self { chip, chance, .. } = self;
        run(&mut |command: &[u8]| chip.process(command, chance)).unwrap()
    }
}
