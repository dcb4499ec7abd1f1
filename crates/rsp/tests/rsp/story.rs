//! A server in memory: what the wiring does around the pure functions, with maps in place of tables.

use crate::kit::{World, now};
use simwarden_model::{Eid, Entropy, Timestamp};
use simwarden_rsp::authenticate::{self, AuthenticateAnswer, ClaimFacts, NotGranted, Wanted};
use simwarden_rsp::bound_package::{self, Need, PackageAnswer};
use simwarden_rsp::cancel;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::effect::Effect;
use simwarden_rsp::initiate::{InitiateAnswer, initiate};
use simwarden_rsp::notification::{self, InstallPolicy, Pending};
use simwarden_rsp::order::Matching;
use simwarden_rsp::{Gate, Order, Prepared, Refusal, Server, Session, TransactionId};
use std::collections::HashMap;

pub struct Story {
    pub server: Server,
    pub sessions: HashMap<TransactionId, Session>,
    pub orders: Vec<(Order, Prepared)>,
    pub profile: Vec<u8>,
    pub screen: Screen,
    pub gate: Gate,
    pub now: Timestamp,
    pub effects: Vec<Effect>,
    pub profiles_on_chip: Option<u32>,
    pub put_off: bool,
    entropy: crate::kit::Seed,
}

impl Story {
    pub fn new(world: &World, order: Order) -> Self {
        Self {
            server: world.server.clone(),
            sessions: HashMap::new(),
            orders: vec![(order, crate::kit::prepared())],
            profile: crate::kit::profile(),
            screen: Screen::default(),
            gate: Gate::Open,
            now: now(),
            effects: Vec::new(),
            profiles_on_chip: None,
            put_off: false,
            entropy: crate::kit::Seed::new(4711),
        }
    }

    pub fn order(&self) -> &Order {
        &self.orders[0].0
    }

    pub fn initiate(&mut self, world: &World) -> InitiateAnswer {
        let (answer, session) = initiate(
            &self.server,
            &world.initiate_request(),
            self.now,
            &mut self.entropy,
        )
        .unwrap();
        // What is stored is what is read back.
        let stored = serde_json::to_string(&session).unwrap();
        self.sessions
            .insert(session.transaction, serde_json::from_str(&stored).unwrap());
        answer
    }

    fn session(&self, id: TransactionId) -> Result<Session, Refusal> {
        self.sessions.get(&id).cloned().ok_or(Refusal::UnknownTransaction)
    }

    fn find(&self, wanted: &Wanted, eid: &Eid) -> Option<usize> {
        self.orders
            .iter()
            .position(|(order, _)| match (wanted, &order.matching) {
                (Wanted::Id(wanted), Matching::Id(id)) => wanted == id,
                (Wanted::Default, Matching::DefaultForEid) => order.eid == Some(*eid),
                _ => false,
            })
    }

    pub fn authenticate(
        &mut self,
        id: TransactionId,
        response: &[u8],
    ) -> Result<AuthenticateAnswer, Refusal> {
        let mut session = self.session(id)?;
        let verified = authenticate::verify(&self.server, &session, response, self.now, &self.screen)?;
        let at = self.find(&verified.wanted, &verified.chip.eid);
        let order = at.map(|at| &self.orders[at].0);
        let draft = authenticate::draft(&self.server, &session, order, &verified, self.now);
        let facts = ClaimFacts {
            gate: &self.gate,
            profiles_on_chip: self.profiles_on_chip,
            now: self.now,
        };
        let order = at.map(|at| &mut self.orders[at].0);
        let outcome = authenticate::claim(&mut session, order, &verified, draft, facts);
        self.sessions.insert(id, session);
        self.settle(outcome.map(|it| (it.answer, it.effects)))
    }

    fn settle<A>(&mut self, outcome: Result<(A, Vec<Effect>), NotGranted>) -> Result<A, Refusal> {
        match outcome {
            Ok((answer, effects)) => {
                self.effects = effects;
                Ok(answer)
            }
            Err(NotGranted::Denied(denied)) => {
                self.effects = denied.effects;
                Err(denied.refusal)
            }
            Err(NotGranted::Stale) => panic!("stale, though nobody else was there"),
        }
    }

    pub fn get_package(&mut self, id: TransactionId, response: &[u8]) -> Result<PackageAnswer, Refusal> {
        let mut session = self.session(id)?;
        let verified = bound_package::verify(&session, response, self.now)?;
        let reference = session.authenticated.as_ref().unwrap().order;
        let at = self
            .orders
            .iter()
            .position(|(order, _)| order.reference == reference)
            .unwrap();
        if bound_package::need(&self.orders[at].0, &verified) == Need::Fresh {
            self.orders[at].1 = Prepared::make(&self.profile, &mut self.entropy);
        }
        let (order, prepared) = &mut self.orders[at];
        let built = bound_package::build(
            &self.server,
            &session,
            order,
            &verified,
            prepared,
            self.now,
            &mut self.entropy,
        );
        // An order comes out of the store as it went in.
        *order = serde_json::from_str(&serde_json::to_string(order).unwrap()).unwrap();
        let outcome = bound_package::claim(&mut session, order, &verified, built, &self.gate, self.now);
        self.sessions.insert(id, session);
        self.settle(outcome.map(|it| (it.answer, it.effects)))
    }

    pub fn cancel(&mut self, id: TransactionId, response: &[u8]) -> Result<(), Refusal> {
        let mut session = self.session(id)?;
        let verified = cancel::verify(&self.server, &session, response, self.now)?;
        let outcome = cancel::claim(
            &mut session,
            &mut self.orders[0].0,
            &verified,
            cancel::CancelFacts {
                put_off: self.put_off,
                now: self.now,
            },
        );
        self.sessions.insert(id, session);
        self.settle(outcome.map(|it| (it.answer, it.effects)))
    }

    pub fn install(&mut self, bytes: &[u8], highest: Option<u32>, resent: bool) -> Result<(), Refusal> {
        let Ok(Pending::Install(result)) = notification::read(bytes) else {
            return Err(Refusal::Malformed);
        };
        let mut session = self.session(result.transaction.ok_or(Refusal::UnknownTransaction)?)?;
        notification::verify_install(&self.server, &session, &result)?;
        self.effects = notification::apply_install(
            &mut session,
            &mut self.orders[0].0,
            &result,
            &InstallPolicy::default(),
            highest,
            resent,
        );
        self.sessions.insert(session.transaction, session);
        Ok(())
    }

    pub fn draw(&mut self) -> u8 {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        byte[0]
    }
}
