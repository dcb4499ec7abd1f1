//! Real `lpac` against the chip and the test server, over its stdio back-ends, where `LPAC` names the program.
//!
//! Version 2.3.0 as released takes its own success in writing a request for a failure in its stdio APDU back-end
//! (`json_request` is true when it worked, its callers leave when it is true) and so stops after the first line;
//! a version before or after is needed, or one with that put right.

use crate::server::iccid;
use crate::world::World;
use serde_json::{Value, json};
use simwarden_euicc::Euicc;
use simwarden_euicc::apdu::Card;
use simwarden_euicc::hex;
use simwarden_euicc::stdio::{Host, serve};
use std::io::{self, BufReader};
use std::process::{Command, Stdio};

/// Answers the HTTP requests of `lpac` from the test server and keeps its last word.
struct Bridge<'a> {
    server: &'a mut crate::server::Server,
    last: Value,
}

impl Host for Bridge<'_> {
    fn keep(&mut self, _chip: &Euicc) -> io::Result<()> {
        Ok(())
    }

    fn other(&mut self, line: &Value) -> io::Result<Option<Value>> {
        if line["type"] != "http" {
            if line["type"] == "lpa" {
                self.last = line["payload"].clone();
            }
            return Ok(None);
        }
        let request = &line["payload"];
        let url = request["url"].as_str().unwrap_or_default();
        let function = url.rsplit('/').next().unwrap_or_default();
        let body = hex::decode(request["tx"].as_str().unwrap_or_default()).map_err(io::Error::other)?;
        let body: Value = serde_json::from_slice(&body)?;
        let (status, answer) = self.server.call(function, &body);
        Ok(Some(
            json!({"type": "http", "payload": {"rcode": status, "rx": hex::encode(&answer)}}),
        ))
    }
}

fn lpac(world: &mut World, arguments: &[&str]) -> Option<Value> {
    let Some(program) = std::env::var_os("LPAC") else {
        println!("LPAC does not name a program: skipped");
        return None;
    };
    let mut child = Command::new(program)
        .args(arguments)
        .envs([("LPAC_APDU", "stdio"), ("LPAC_HTTP", "stdio")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut card = Card::new(world.chip.clone());
    let mut bridge = Bridge {
        server: &mut world.server,
        last: Value::Null,
    };
    let served = serve(
        &mut card,
        &mut world.chance,
        &mut BufReader::new(output),
        &mut input,
        &mut bridge,
    );
    let last = bridge.last;
    child.wait().unwrap();
    assert!(served.is_ok() || !last.is_null(), "{served:?}");
    world.chip = card.into_chip();
    Some(last)
}

#[test]
fn lpac_downloads_enables_deletes_and_reports() {
    let mut world = World::new();
    let Some(info) = lpac(&mut world, &["chip", "info"]) else {
        return;
    };
    assert_eq!(info["data"]["eidValue"], crate::world::EID, "{info}");
    world.server.confirmation_code = Some("4711".into());
    let download = [
        "profile",
        "download",
        "-s",
        crate::server::HOST,
        "-m",
        "MATCHING-1",
        "-c",
    ];
    let wrong = lpac(&mut world, &[&download[..], &["0815"]].concat()).unwrap();
    assert_ne!(wrong["code"], 0, "{wrong}");
    assert_eq!(world.server.cancelled, [0], "it cancels after a wrong code");
    let right = lpac(&mut world, &[&download[..], &["4711"]].concat()).unwrap();
    assert_eq!(right["code"], 0, "{right}");
    assert!(world.chip.profile(&iccid()).unwrap().package == world.server.package);
    let list = lpac(&mut world, &["profile", "list"]).unwrap();
    assert_eq!(list["data"][0]["iccid"], iccid().reveal(), "{list}");
    for step in ["enable", "disable", "delete"] {
        let done = lpac(&mut world, &["profile", step, iccid().reveal()]).unwrap();
        assert_eq!(done["code"], 0, "{step}: {done}");
    }
    let processed = lpac(&mut world, &["notification", "process", "-a", "-r"]).unwrap();
    assert_eq!(processed["code"], 0, "{processed}");
    assert!(world.chip.notifications().is_empty() && world.chip.profiles().is_empty());
    for event in ["install:", "enable:", "disable:", "delete:"] {
        assert!(
            world.server.told.iter().any(|it| it.starts_with(event)),
            "{:?}",
            world.server.told
        );
    }
}
