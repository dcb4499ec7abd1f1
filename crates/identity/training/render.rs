//! Draws documents with a machine-readable zone as a printer, a camera and time would: for training and for tests.

use crate::dice::{ALNUM, Dice};
use ab_glyph::{Font, FontRef, Glyph, PxScale, point};
use simwarden_identity::documents::layout::Format;
use simwarden_identity::documents::mrz::Mrz;
use simwarden_identity::documents::photo::raster::Grey;

/// How hard a picture is.
#[derive(Clone, Copy, PartialEq)]
pub enum Hardness {
    /// As a printer would leave it.
    Clean,
    /// Security background, turned a little.
    Patterned,
    /// Perspective, small, blurred, noisy, lit from one side, JPEG.
    Photo,
}

/// Where a place of the document lies in the picture.
#[derive(Clone, Copy)]
#[cfg_attr(
    test,
    expect(dead_code, reason = "tests do not ask where a place lies; training does")
)]
pub struct Placement {
    /// Document millimetres to picture pixels, as a homography.
    forward: [f32; 9],
    pub lines: [[f32; 3]; 3],
    pub count: usize,
}

#[cfg_attr(test, expect(dead_code, reason = "as above"))]
impl Placement {
    pub fn pixel(&self, x: f32, y: f32) -> (f32, f32) {
        let h = &self.forward;
        let w = h[6] * x + h[7] * y + h[8];
        ((h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w)
    }
}

/// Pixels of the drawn document per millimetre.
const DOTS: f32 = 12.0;
/// Characters are this far apart, in millimetres.
pub const PITCH_MM: f32 = 2.54;

struct Page {
    width: usize,
    height: usize,
    ink: Vec<f32>,
}

impl Page {
    fn text(&mut self, font: &FontRef<'_>, text: &str, left: f32, middle: f32, pitch: f32, dark: f32) {
        // Advance 723, middle of a capital 350 of 1000 units above the base line.
        let em = pitch / 0.723;
        let scale = PxScale::from(em * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0));
        for (at, character) in text.chars().enumerate() {
            let glyph: Glyph = font
                .glyph_id(character)
                .with_scale_and_position(scale, point(left + pitch * at as f32, middle + 0.35 * em));
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, cover| {
                let (x, y) = (
                    bounds.min.x as i64 + i64::from(x),
                    bounds.min.y as i64 + i64::from(y),
                );
                if x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height {
                    let pixel = &mut self.ink[y as usize * self.width + x as usize];
                    *pixel = *pixel * (1.0 - cover.min(1.0)) + dark * cover.min(1.0);
                }
            });
        }
    }
}

fn size_mm(format: Format) -> (f32, f32) {
    match format {
        Format::Td1 => (85.6, 54.0),
        Format::Td2 | Format::MrvB => (105.0, 74.0),
        Format::Td3 => (125.0, 88.0),
        Format::MrvA => (120.0, 80.0),
    }
}

fn page(dice: &mut Dice, mrz: &Mrz, hard: Hardness, font: &FontRef<'_>) -> (Page, [[f32; 3]; 3]) {
    let (wide, high) = size_mm(mrz.format());
    let (width, height) = ((wide * DOTS) as usize, (high * DOTS) as usize);
    let (base, slope) = (dice.between(200.0, 245.0), dice.between(-25.0, 25.0));
    let waves: Vec<[f32; 6]> = (0..if hard == Hardness::Clean {
        0
    } else {
        1 + dice.below(3)
    })
        .map(|_| {
            [
                dice.between(14.0, 60.0),
                dice.between(5.0, 40.0),
                dice.between(0.004, 0.05),
                dice.between(0.0, 6.0),
                dice.between(8.0, 45.0),
                dice.between(-0.5, 0.5),
            ]
        })
        .collect();
    let mut ink = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (x as f32, y as f32);
            let mut grey = base + slope * fx / width as f32;
            for [period, amplitude, frequency, phase, dark, tilt] in &waves {
                let way = fy + amplitude * (frequency * fx + phase).sin() + tilt * fx;
                if way.rem_euclid(*period) < 2.5 {
                    grey -= dark;
                }
            }
            ink.push(grey);
        }
    }
    let mut page = Page { width, height, ink };
    for line in 0..5 {
        let text = dice.letters(ALNUM, 4 + line * 3);
        let y = (6.0 + 5.0 * line as f32) * DOTS;
        if y < (high - 28.0) * DOTS {
            page.text(
                font,
                &text,
                wide * 0.4 * DOTS,
                y,
                dice.between(1.2, 2.4) * DOTS,
                60.0,
            );
        }
    }
    for y in (8.0 * DOTS) as usize..((high - 28.0).max(10.0) * DOTS) as usize {
        for x in (5.0 * DOTS) as usize..(0.3 * wide * DOTS) as usize {
            page.ink[y * width + x] =
                90.0 + 60.0 * ((x as f32 / 37.0).sin() * (y as f32 / 51.0).cos()) + dice.between(-15.0, 15.0);
        }
    }
    let lines = mrz.lines();
    let (columns, left) = (
        lines[0].len(),
        (wide - PITCH_MM * lines[0].len() as f32) / 2.0 + dice.between(-0.8, 0.8),
    );
    let spacing = if lines.len() == 3 { 5.6 } else { 6.35 };
    let mut places = [[0.0; 3]; 3];
    let dark = dice.between(5.0, 75.0);
    for (at, line) in lines.iter().enumerate() {
        let y = high - 6.5 - spacing * (lines.len() - 1 - at) as f32;
        page.text(font, line, left * DOTS, y * DOTS, PITCH_MM * DOTS, dark);
        places[at] = [left, left + PITCH_MM * columns as f32, y];
    }
    (page, places)
}

/// The homography that takes the corners of a rectangle (0,0)-(w,h) to four points.
fn homography(w: f32, h: f32, to: [(f32, f32); 4]) -> [f32; 9] {
    let [p0, p1, p2, p3] = to;
    let (dx1, dx2, dx3) = (p1.0 - p2.0, p3.0 - p2.0, p0.0 - p1.0 + p2.0 - p3.0);
    let (dy1, dy2, dy3) = (p1.1 - p2.1, p3.1 - p2.1, p0.1 - p1.1 + p2.1 - p3.1);
    let det = dx1 * dy2 - dx2 * dy1;
    let (g, k) = ((dx3 * dy2 - dx2 * dy3) / det, (dx1 * dy3 - dx3 * dy1) / det);
    [
        (p1.0 - p0.0 + g * p1.0) / w,
        (p3.0 - p0.0 + k * p3.0) / h,
        p0.0,
        (p1.1 - p0.1 + g * p1.1) / w,
        (p3.1 - p0.1 + k * p3.1) / h,
        p0.1,
        g / w,
        k / h,
        1.0,
    ]
}

fn inverse(m: &[f32; 9]) -> [f32; 9] {
    let c = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    [
        c(4, 5, 7, 8),
        c(2, 1, 8, 7),
        c(1, 2, 4, 5),
        c(5, 3, 8, 6),
        c(0, 2, 6, 8),
        c(2, 0, 5, 3),
        c(3, 4, 6, 7),
        c(1, 0, 7, 6),
        c(0, 1, 3, 4),
    ]
}

/// A picture of a document and where everything on it lies.
pub fn picture(dice: &mut Dice, mrz: &Mrz, hard: Hardness, font: &FontRef<'_>) -> (Grey, Placement) {
    let (page, lines) = page(dice, mrz, hard, font);
    let (wide, high) = size_mm(mrz.format());
    let scale = match hard {
        Hardness::Clean => 10.0,
        Hardness::Patterned => dice.between(7.0, 11.0),
        Hardness::Photo => dice.between(5.5, 8.5),
    };
    let (margin, lean) = match hard {
        Hardness::Clean => (0.02, 0.0),
        Hardness::Patterned => (0.06, 0.0),
        Hardness::Photo => (dice.between(0.03, 0.15), 0.035),
    };
    let turn = match hard {
        Hardness::Clean => 0.0,
        Hardness::Patterned => dice.between(-0.07, 0.07),
        Hardness::Photo => dice.between(-0.06, 0.06),
    };
    let (w, h) = (wide * scale, high * scale);
    let (out_w, out_h) = (
        w * (1.0 + 2.0 * margin),
        (h + w * turn.abs()) * (1.0 + 2.0 * margin),
    );
    let corner = |x: f32, y: f32, dice: &mut Dice| {
        let (dx, dy) = ((x - 0.5) * w, (y - 0.5) * h);
        let lean = (dice.between(-lean, lean) * w, dice.between(-lean, lean) * h);
        (
            out_w / 2.0 + dx * turn.cos() - dy * turn.sin() + lean.0,
            out_h / 2.0 + dx * turn.sin() + dy * turn.cos() + lean.1,
        )
    };
    let to = [
        corner(0.0, 0.0, dice),
        corner(1.0, 0.0, dice),
        corner(1.0, 1.0, dice),
        corner(0.0, 1.0, dice),
    ];
    let forward = homography(wide, high, to);
    let back = inverse(&forward);
    let table = dice.between(20.0, 230.0);
    let (width, height) = (out_w as usize, out_h as usize);
    let source = Grey::new(
        page.width,
        page.height,
        page.ink.iter().map(|v| v.clamp(0.0, 255.0) as u8).collect(),
    )
    .unwrap();
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let mut sum = 0.0;
            for (ox, oy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let (px, py) = (x as f32 + ox, y as f32 + oy);
                let q = back[6] * px + back[7] * py + back[8];
                let (mx, my) = (
                    (back[0] * px + back[1] * py + back[2]) / q,
                    (back[3] * px + back[4] * py + back[5]) / q,
                );
                let inside = (0.0..wide).contains(&mx) && (0.0..high).contains(&my);
                sum += if inside {
                    source.sample(mx * DOTS - 0.5, my * DOTS - 0.5)
                } else {
                    table
                };
            }
            pixels.push(sum / 4.0);
        }
    }
    let placement = Placement {
        forward,
        lines,
        count: mrz.lines().len(),
    };
    (degrade(dice, pixels, width, height, hard, scale), placement)
}

/// Blur, light, noise, JPEG.
fn degrade(
    dice: &mut Dice,
    mut pixels: Vec<f32>,
    width: usize,
    height: usize,
    hard: Hardness,
    scale: f32,
) -> Grey {
    let (blur, noise, light) = match hard {
        Hardness::Clean => (0.0, 0.0, 0.0),
        Hardness::Patterned => (dice.between(0.0, 0.6), dice.between(0.0, 5.0), 0.1),
        Hardness::Photo => (dice.between(0.3, 0.15 * scale), dice.between(2.0, 11.0), 0.35),
    };
    if blur > 0.2 {
        pixels = gauss(&pixels, width, blur);
        let turned: Vec<f32> = (0..width * height)
            .map(|i| pixels[(i % height) * width + i / height])
            .collect();
        let turned = gauss(&turned, height, blur);
        pixels = (0..width * height)
            .map(|i| turned[(i % width) * height + i / width])
            .collect();
    }
    let (lx, ly) = (dice.between(-light, light), dice.between(-light, light));
    let bytes: Vec<u8> = pixels
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let (fx, fy) = (
                (i % width) as f32 / width as f32 - 0.5,
                (i / width) as f32 / height as f32 - 0.5,
            );
            (v * (1.0 - light / 4.0 + lx * fx + ly * fy) + noise * dice.normal()).clamp(0.0, 255.0) as u8
        })
        .collect();
    if hard == Hardness::Photo {
        let mut file = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 70);
        encoder
            .encode(&bytes, width as u32, height as u32, image::ExtendedColorType::L8)
            .unwrap();
        return simwarden_identity::documents::photo::decode(&file).unwrap();
    }
    Grey::new(width, height, bytes).unwrap()
}

fn gauss(pixels: &[f32], width: usize, sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let kernel: Vec<f32> = (0..=reach)
        .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
        .collect();
    let total = 2.0 * kernel.iter().sum::<f32>() - kernel[0];
    let mut out = Vec::with_capacity(pixels.len());
    for row in pixels.chunks_exact(width) {
        for x in 0..width {
            let mut sum = kernel[0] * row[x];
            for (i, k) in kernel.iter().enumerate().skip(1) {
                sum += k * (row[x.saturating_sub(i)] + row[(x + i).min(width - 1)]);
            }
            out.push(sum / total);
        }
    }
    out
}
