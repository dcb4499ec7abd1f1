//! Freshly drawn photos of made-up documents through the reader: how many are accepted, and that none is wrong.
//!
//! `SIMWARDEN_PHOTOS` asks for another number of photos, `SIMWARDEN_PHOTO_SEED` for others, `SIMWARDEN_MANGLED` for
//! another number of mangled ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::cast_possible_truncation, reason = "pixels and colours")]
#![expect(
    clippy::disallowed_methods,
    reason = "prints how long a photo takes; nothing depends on it"
)]

#[path = "../training/dice.rs"]
mod dice;
#[path = "../training/render.rs"]
mod render;

use ab_glyph::FontRef;
use dice::{Dice, content};
use image::ImageEncoder as _;
use render::{Hardness, picture};
use simwarden_identity::documents::emit::emit;
use simwarden_identity::documents::layout::Format;
use simwarden_identity::documents::photo::raster::Grey;
use simwarden_identity::documents::photo::{PhotoError, read, read_grey};
use simwarden_identity::documents::review::review;
use std::time::{Duration, Instant};

const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/OCRB.otf"),
    include_bytes!("../fonts/OCRBS.otf"),
    include_bytes!("../fonts/OCRBL.otf"),
];

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn drawn_photos_are_read_and_none_is_read_wrong() {
    let count = number("SIMWARDEN_PHOTOS", 15);
    let mut dice = Dice(number("SIMWARDEN_PHOTO_SEED", 2_026) as u64);
    let (mut accepted, mut wrong, mut times) = (0, Vec::new(), Vec::new());
    for round in 0..count {
        let hard = [Hardness::Clean, Hardness::Patterned, Hardness::Photo][round % 3];
        let format = Format::ALL[dice.below(5)];
        let truth = emit(format, &content(&mut dice, format)).unwrap();
        let font = FontRef::try_from_slice(FONTS[[0, 1, 0, 1, 2][round / 3 % 5]]).unwrap();
        let (grey, _) = picture(&mut dice, &truth, hard, &font);
        if let Ok(folder) = std::env::var("SIMWARDEN_PHOTO_FOLDER") {
            std::fs::write(format!("{folder}/{round:03}.png"), png(&grey)).unwrap();
        }
        let start = Instant::now();
        let reading = read_grey(grey);
        times.push(start.elapsed());
        let took = times[times.len() - 1].as_millis();
        let name = format!("{round} {} {:?}", format.name(), hard as u8);
        match reading {
            Ok(reading) if reading.certain && review(&reading.mrz, None).accepted() => {
                accepted += 1;
                if reading.mrz != truth {
                    wrong.push(format!(
                        "{name}: {:?} for {:?}",
                        reading.mrz.lines(),
                        truth.lines()
                    ));
                }
            }
            Ok(reading) => {
                let reasons: Vec<String> = review(&reading.mrz, None)
                    .reasons
                    .iter()
                    .map(|r| r.code())
                    .collect();
                println!(
                    "{name}: certain {} score {:.3} {reasons:?} {took} ms",
                    reading.certain, reading.score
                );
                println!("  {:?}\n  {:?}", reading.mrz.lines(), truth.lines());
            }
            Err(error) => println!("{name}: {error} {took} ms"),
        }
    }
    times.sort();
    let p95 = times[(times.len() * 95 / 100).min(times.len() - 1)];
    println!(
        "{accepted} of {count} accepted, {} wrong, median {:?}, p95 {p95:?}",
        wrong.len(),
        times[times.len() / 2]
    );
    assert!(wrong.is_empty(), "read wrong: {wrong:#?}");
    assert!(
        accepted * 100 >= count * 93,
        "only {accepted} of {count} accepted"
    );
}

fn png(grey: &Grey) -> Vec<u8> {
    let mut file = Vec::new();
    image::codecs::png::PngEncoder::new(&mut file)
        .write_image(
            grey.pixels(),
            grey.width() as u32,
            grey.height() as u32,
            image::ExtendedColorType::L8,
        )
        .unwrap();
    file
}

#[test]
fn a_photo_may_lie_on_any_side() {
    let mut dice = Dice(4);
    let truth = emit(Format::Td1, &content(&mut dice, Format::Td1)).unwrap();
    let font = FontRef::try_from_slice(FONTS[0]).unwrap();
    let (grey, _) = picture(&mut dice, &truth, Hardness::Patterned, &font);
    let quarter = |grey: &Grey| grey.transposed().mirrored();
    let mut turned = grey;
    for _ in 0..4 {
        let reading = read(&png(&turned)).unwrap();
        assert_eq!(reading.mrz, truth);
        assert!(reading.certain);
        turned = quarter(&turned);
    }
}

#[test]
fn mangled_pictures_neither_panic_nor_read() {
    let mut dice = Dice(11);
    let font = FontRef::try_from_slice(FONTS[0]).unwrap();
    let truth = emit(Format::Td2, &content(&mut dice, Format::Td2)).unwrap();
    let (grey, _) = picture(&mut dice, &truth, Hardness::Photo, &font);
    let small = grey.shrink(3.0);
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 70)
        .encode(
            small.pixels(),
            small.width() as u32,
            small.height() as u32,
            image::ExtendedColorType::L8,
        )
        .unwrap();
    let files = [png(&small), jpeg];
    let mut slowest = Duration::ZERO;
    for round in 0..number("SIMWARDEN_MANGLED", 150) {
        let mut file = files[round % 2].clone();
        for _ in 0..1 + dice.below(12) {
            let at = dice.below(file.len());
            match dice.below(4) {
                0 => file.truncate(at.max(1)),
                1 => file[at] = dice.below(256) as u8,
                2 => file[at] ^= 1 << dice.below(8),
                _ => {
                    let end = (at + 40).min(file.len());
                    let piece = file[at..end].to_vec();
                    file.splice(at..at, piece);
                }
            }
        }
        let start = Instant::now();
        if let Ok(reading) = read(&file) {
            let accepted = reading.certain && review(&reading.mrz, None).accepted();
            assert!(
                !accepted || reading.mrz == truth,
                "read wrong: {:?}",
                reading.mrz.lines()
            );
        }
        slowest = slowest.max(start.elapsed());
    }
    println!("the slowest mangled picture took {slowest:?}");
    assert_eq!(read(b""), Err(PhotoError::NotAPicture));
    assert_eq!(read(&vec![0; 20_000_001]), Err(PhotoError::TooLarge));
}

/// A picture that says it is enormous is refused by its header, before any memory is taken for it.
#[test]
fn a_picture_bomb_is_refused_by_its_header() {
    let grey = Grey::new(64, 64, vec![255; 64 * 64]).unwrap();
    let mut file = png(&grey);
    // Width and height stand at 16..24 of a PNG, their check at 29..33.
    file[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let crc = crc(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(
        read(&file),
        Err(PhotoError::TooLarge | PhotoError::NotAPicture)
    ));
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !crc
}
