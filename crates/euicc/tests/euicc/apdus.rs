//! The APDU face: channels, blocks, waiting answers; and the JSON lines of `lpac`, as its source writes them.

use crate::chance::Seed;
use crate::world::{EID, World};
use serde_json::Value;
use simwarden_euicc::Euicc;
use simwarden_euicc::apdu::{Card, ISD_R};
use simwarden_euicc::hex;
use simwarden_euicc::lpa::{Download, Next, Outcome};
use simwarden_euicc::stdio::{Host, serve};
use std::io::{self, Cursor};

fn card() -> Card {
    Card::new(World::new().chip)
}

fn transmit(card: &mut Card, apdu: &str) -> String {
    hex::encode(&card.transmit(&hex::decode(apdu).unwrap(), &mut Seed(5)).unwrap())
}

#[test]
fn channels_open_select_and_close() {
    let mut card = card();
    assert_eq!(transmit(&mut card, "0070000001"), "019000");
    let select = format!("01A4040010{}", hex::encode(&ISD_R));
    let answer = transmit(&mut card, &select);
    assert_eq!(answer, "6114");
    assert_eq!(
        transmit(&mut card, "01C0000014"),
        format!("6F128410{}9000", hex::encode(&ISD_R))
    );
    assert_eq!(transmit(&mut card, "01A4040007A0000000871002"), "6A82");
    assert_eq!(transmit(&mut card, "0070000001"), "029000");
    assert_eq!(transmit(&mut card, "0070000001"), "039000");
    assert_eq!(transmit(&mut card, "0070000001"), "6A81");
    assert_eq!(transmit(&mut card, "00708001"), "9000");
    assert_eq!(transmit(&mut card, "81E2910006BF3E035C015A"), "6881");
    assert_eq!(transmit(&mut card, "82E2910006BF3E035C015A"), "6985");
    assert_eq!(transmit(&mut card, "0070000001"), "019000");
    card.reset();
    assert_eq!(transmit(&mut card, "02A4040000"), "6881");
}

#[test]
fn an_answer_waits_and_is_fetched_in_parts() {
    let mut card = card();
    assert_eq!(card.open_channel(&ISD_R), Ok(1));
    assert_eq!(transmit(&mut card, "81E2910006BF3E035C015A"), "6115");
    assert_eq!(transmit(&mut card, "81C00000FF"), "6C15");
    assert_eq!(transmit(&mut card, "81C0000005"), "BF3E125A106110");
    assert_eq!(transmit(&mut card, "81C0000010"), format!("{EID}9000"));
    assert_eq!(transmit(&mut card, "81C0000010"), "6985");
    // With Le, at once.
    assert_eq!(
        transmit(&mut card, "81E2910006BF3E035C015A00"),
        format!("BF3E125A10{EID}9000")
    );
    // Another command drops what waits.
    assert_eq!(transmit(&mut card, "81E2910006BF3E035C015A"), "6115");
    assert_eq!(transmit(&mut card, "81E2910003BF3C00"), "611A");
    assert_eq!(transmit(&mut card, "81AA000003A90100"), "9000");
    assert_eq!(transmit(&mut card, "81C000001A"), "6985");
}

#[test]
fn commands_come_in_blocks_in_their_order() {
    let mut card = card();
    card.open_channel(&ISD_R).unwrap();
    assert_eq!(transmit(&mut card, "81E2110003BF3E03"), "9000");
    assert_eq!(transmit(&mut card, "81E29101035C015A"), "6115");
    assert_eq!(transmit(&mut card, "81E2110003BF3E03"), "9000");
    assert_eq!(transmit(&mut card, "81E29102035C015A"), "6A86");
    assert_eq!(transmit(&mut card, "81E29101035C015A"), "6A86");
    assert_eq!(transmit(&mut card, "81E2910003BF7F00"), "6A88");
    assert_eq!(transmit(&mut card, "81E2910003BF3E01"), "6A80");
    assert_eq!(transmit(&mut card, "81E29100028600"), "6985");
    assert_eq!(transmit(&mut card, "81E29100"), "6A80");
    assert_eq!(transmit(&mut card, "81E2910005BF"), "6700");
    assert_eq!(transmit(&mut card, "81B0000000"), "6D00");
    assert_eq!(transmit(&mut card, "C1E2910000"), "6E00");
    // Extended length.
    assert_eq!(
        transmit(&mut card, "81E29100000006BF3E035C015A0000"),
        format!("BF3E125A10{EID}9000")
    );
}

struct Seen(Vec<Value>, usize);

impl Host for Seen {
    fn keep(&mut self, _chip: &Euicc) -> io::Result<()> {
        self.1 += 1;
        Ok(())
    }

    fn other(&mut self, line: &Value) -> io::Result<Option<Value>> {
        self.0.push(line.clone());
        Ok(None)
    }
}

/// What `lpac chip info` and `lpac chip defaultsmdp` send, recorded from version 2.3.0.
const RECORDED: &str = r#"{"type":"apdu","payload":{"func":"connect","param":null}}
{"type":"apdu","payload":{"func":"logic_channel_open","param":"a0000005591010ffffffff8900000100"}}
{"type":"apdu","payload":{"func":"transmit","param":"81e2910006bf3e035c015a"}}
{"type":"apdu","payload":{"func":"transmit","param":"81c0000015"}}
{"type":"apdu","payload":{"func":"transmit","param":"81e2910010bf3f0d800b612e6578616d706c652e6b"}}
{"type":"apdu","payload":{"func":"transmit","param":"81c0000006"}}
{"type":"lpa","payload":{"code":0,"message":"success","data":null}}
{"type":"apdu","payload":{"func":"logic_channel_close","param":"01"}}
{"type":"apdu","payload":{"func":"disconnect","param":null}}
no json
{"type":"apdu","payload":{"func":"transmit","param":"8"}}
{"type":"apdu","payload":{"func":"logic_channel_open","param":"a0000000871002"}}
{"type":"apdu","payload":{"func":"dance"}}
"#;

#[test]
fn speaks_the_json_lines_of_lpac() {
    let mut card = card();
    let mut seen = Seen(Vec::new(), 0);
    let mut output = Vec::new();
    serve(
        &mut card,
        &mut Seed(6),
        &mut Cursor::new(RECORDED),
        &mut output,
        &mut seen,
    )
    .unwrap();
    let answers: Vec<Value> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let ecode = |at: usize| answers[at]["payload"]["ecode"].as_i64().unwrap();
    let data = |at: usize| answers[at]["payload"]["data"].as_str().unwrap();
    assert!(answers.iter().all(|it| it["type"] == "apdu"));
    assert_eq!((ecode(0), ecode(1)), (0, 1));
    assert_eq!(data(2), "6115");
    assert_eq!(data(3), format!("BF3E125A10{EID}9000"));
    assert_eq!(data(5), "BF3F038001009000");
    assert_eq!((6..11).map(ecode).collect::<Vec<_>>(), [0, 0, -1, -1, -1]);
    assert_eq!(answers.len(), 11);
    assert_eq!(seen.0[0]["payload"]["message"], "success");
    assert_eq!(seen.1, 1, "kept once: after the default server was set");
}

/// An ES10 command as `lpac` carries it: blocks of 120 bytes on channel 1, then GET RESPONSE until nothing waits.
fn over_apdus(card: &mut Card, command: &[u8], chance: &mut Seed) -> Vec<u8> {
    let blocks: Vec<&[u8]> = command.chunks(120).collect();
    let mut answer = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let p1 = if at + 1 == blocks.len() { 0x91 } else { 0x11 };
        let header = [
            0x81,
            0xE2,
            p1,
            u8::try_from(at).unwrap(),
            u8::try_from(block.len()).unwrap(),
        ];
        let mut response = card.transmit(&[&header[..], block].concat(), chance).unwrap();
        loop {
            let status = response.split_off(response.len() - 2);
            answer.extend(response);
            match status[..] {
                [0x90, 0] => break,
                [0x61, left] => response = card.transmit(&[0x81, 0xC0, 0, 0, left], chance).unwrap(),
                _ => panic!("{status:02X?}"),
            }
        }
    }
    answer
}

#[test]
fn a_whole_download_goes_over_apdus() {
    let mut world = World::new();
    let mut card = Card::new(world.chip.clone());
    assert_eq!(card.open_channel(&ISD_R), Ok(1));
    let (server, chance) = (&mut world.server, &mut world.chance);
    let mut es10 = |command: &[u8]| Ok(over_apdus(&mut card, command, chance));
    let (mut download, mut request) =
        Download::begin(&mut es10, crate::world::code(), crate::world::device(), None).unwrap();
    let outcome = loop {
        let (status, body) = server.call(request.function, &request.body);
        match download.answer(&mut es10, status, &body).unwrap() {
            Next::Ask(next) => request = next,
            Next::Done(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(outcome, Outcome::Installed { .. }));
    assert_eq!(card.chip().profiles()[0].package, world.server.package);
    assert!(card.take_changed());
}
