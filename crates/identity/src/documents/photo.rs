//! A machine-readable zone read from a photo, without any foreign program or model.
//!
//! Ribbons of text are found ([`ribbons`]), straightened and put on a fixed-pitch grid ([`grid`]), each cell is
//! classified ([`glyphs`]), and lines are put together to a zone ([`assemble`]) that the check digits then judge.
//! Nothing is repaired, and what is not certain is not read: another photo costs seconds.

#![expect(
    clippy::cast_possible_truncation,
    reason = "pixels and colours: bounded by PIXELS_MAX and by 255"
)]

pub mod assemble;
pub mod glyphs;
pub mod grid;
pub mod raster;
pub mod ribbons;

use super::mrz::Mrz;
use super::review;
use assemble::{Line, Zone};
use glyphs::{ALPHABET, Glyphs, Probabilities};
use grid::{Grid, Strip};
use image::ImageDecoder as _;
use raster::{Grey, Pyramid};
use ribbons::Ribbon;
use std::io::Cursor;
use thiserror::Error;

/// Files longer than this are not opened, in bytes.
pub const FILE_BYTES_MAX: usize = 20_000_000;
/// Pictures of more pixels than this are not decoded.
pub const PIXELS_MAX: u64 = 40_000_000;
/// Decoded pictures are shrunk to this many pixels along their longer side.
const SIDE_MAX: usize = 2600;
/// Cells classified in one photo: about a second of work.
const CELLS_MAX: usize = 90_000;
/// Lines kept of one photo, the most certain ones.
const LINES_MAX: usize = 40;

/// Why a photo gives no zone at all.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PhotoError {
    /// Too large.
    #[error("the picture is larger than {FILE_BYTES_MAX} bytes or {PIXELS_MAX} pixels; send a smaller one")]
    TooLarge,
    /// Not a picture.
    #[error("this is neither a PNG nor a JPEG picture, or it is damaged")]
    NotAPicture,
    /// No line of text of the right kind.
    #[error("no machine-readable zone was found; take the whole document, sharp, without reflections")]
    NoZone,
}

/// A zone as read from a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The most probable zone.
    pub mrz: Mrz,
    /// Whether every character is certain enough to be taken; if not, ask for another photo.
    pub certain: bool,
    /// The mean logarithm of the probability of the characters of the least certain line; 0 is certain.
    pub score: f32,
}

/// Reads the zone on a PNG or JPEG picture, in any of four orientations and somewhat askew.
///
/// # Errors
/// [`PhotoError`] when there is no picture or no zone on it.
pub fn read(file: &[u8]) -> Result<Reading, PhotoError> {
    read_grey(decode(file)?)
}

/// Decodes a picture to grey, within bounds.
///
/// # Errors
/// [`PhotoError::TooLarge`], [`PhotoError::NotAPicture`].
pub fn decode(file: &[u8]) -> Result<Grey, PhotoError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(PhotoError::TooLarge);
    }
    let mut reader = image::ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|_| PhotoError::NotAPicture)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(PIXELS_MAX * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| PhotoError::NotAPicture)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > PIXELS_MAX * 8 {
        return Err(PhotoError::TooLarge);
    }
    let turned = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let picture = image::DynamicImage::from_decoder(decoder).map_err(|_| PhotoError::NotAPicture)?;
    let mut grey = image::DynamicImage::ImageLuma8(picture.into_luma8());
    grey.apply_orientation(turned);
    let grey = grey.into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    Grey::new(width, height, grey.into_raw()).ok_or(PhotoError::NotAPicture)
}

/// As [`read`], from decoded pixels.
///
/// # Errors
/// [`PhotoError::NoZone`].
pub fn read_grey(grey: Grey) -> Result<Reading, PhotoError> {
    let side = grey.width().max(grey.height());
    let grey = if side > SIDE_MAX {
        grey.shrink(side as f32 / SIDE_MAX as f32)
    } else {
        grey
    };
    if grey.width().min(grey.height()) < 48 {
        return Err(PhotoError::NoZone);
    }
    let mut search = Search {
        glyphs: Glyphs::built_in(),
        cells_left: CELLS_MAX,
        best: None,
    };
    let upright = Pyramid::new(grey);
    if !search.look(&upright) {
        let side = Pyramid::new(upright.full().transposed().mirrored());
        search.look(&side);
    }
    search.best.ok_or(PhotoError::NoZone)
}

struct Search {
    glyphs: Glyphs,
    cells_left: usize,
    best: Option<Reading>,
}

impl Search {
    /// Looks for a zone whose lines run roughly along the rows, either way up; whether a certain one was found.
    fn look(&mut self, picture: &Pyramid) -> bool {
        let full = picture.full();
        let side = full.width().max(full.height()) as f32;
        let mut lines: Vec<Line> = Vec::new();
        let budget = self.cells_left / 2;
        let floor = self.cells_left - budget;
        for target in [1400.0, 700.0] {
            let scale = (side / target).max(1.0);
            let ribbons = ribbons::find(&full.shrink(scale), scale);
            for ribbon in ribbons {
                if self.cells_left <= floor {
                    break;
                }
                if let Some(line) = self.line(picture, &ribbon) {
                    keep(&mut lines, line);
                }
            }
            self.siblings(picture, &mut lines);
            if self.assemble(&lines) {
                return true;
            }
        }
        false
    }

    /// A line's neighbours may not have been found as ribbons of their own: looks where they must be.
    fn siblings(&mut self, picture: &Pyramid, lines: &mut Vec<Line>) {
        let mut seeds: Vec<Line> = lines.iter().filter(|line| line.score > -0.5).cloned().collect();
        seeds.sort_by(|a, b| b.score.total_cmp(&a.score));
        seeds.truncate(4);
        for seed in seeds {
            for step in [-5.0, -2.5, 2.5, 5.0_f32] {
                if seed.places.len() != 30 && step.abs() > 3.0 {
                    continue;
                }
                let across = step * seed.pitch;
                let ribbon = Ribbon {
                    centre: (
                        seed.centre.0 - seed.axis.1 * across,
                        seed.centre.1 + seed.axis.0 * across,
                    ),
                    axis: seed.axis,
                    length: seed.pitch * seed.places.len() as f32,
                    thickness: seed.pitch,
                    bend: seed.bend,
                };
                let draft = self.draft(picture, &ribbon, seed.places.len(), seed.pitch);
                if let Some(line) = draft.and_then(|draft| self.refine(draft, &ribbon)) {
                    keep(lines, line);
                }
            }
        }
    }

    /// The most probable zone of the lines so far; whether one is certain and consistent.
    fn assemble(&mut self, lines: &[Line]) -> bool {
        for (format, group) in assemble::groups(lines).into_iter().take(24) {
            let group: Vec<&Line> = group.iter().map(|i| &lines[*i]).collect();
            let Some(zone) = assemble::zone(format, &group) else {
                continue;
            };
            let consistent = review::review(&zone.mrz, None).accepted();
            self.offer(zone, consistent);
            if consistent && self.best.as_ref().is_some_and(|best| best.certain) {
                return true;
            }
        }
        false
    }

    fn offer(&mut self, zone: Zone, consistent: bool) {
        let reading = Reading {
            mrz: zone.mrz,
            certain: zone.certain,
            score: zone.score,
        };
        // What adds up is worth more than what looks clear but does not.
        let rank = |reading: &Reading, consistent: bool| (consistent, reading.certain, reading.score);
        let better = self.best.as_ref().is_none_or(|best| {
            let held = review::review(&best.mrz, None).accepted();
            rank(&reading, consistent) > rank(best, held)
        });
        if better {
            self.best = Some(reading);
        }
    }

    /// The best reading of a ribbon, whatever its length in characters and whichever way up.
    fn line(&mut self, picture: &Pyramid, ribbon: &Ribbon) -> Option<Line> {
        let turned = Ribbon {
            axis: (-ribbon.axis.0, -ribbon.axis.1),
            bend: -ribbon.bend,
            ..ribbon.clone()
        };
        let mut best: Option<(Draft, &Ribbon)> = None;
        for ribbon in [ribbon, &turned] {
            for count in [44, 36, 30] {
                let pitch = ribbon.length / (count as f32 + 0.3);
                // Capitals are as high as the pitch is wide; smearing and blur add to it.
                if pitch < 4.5 || !(0.35..2.6).contains(&(ribbon.thickness / pitch)) {
                    continue;
                }
                if let Some(draft) = self.draft(picture, ribbon, count, pitch)
                    && best.as_ref().is_none_or(|(best, _)| draft.score > best.score)
                {
                    best = Some((draft, ribbon));
                }
            }
            if best.as_ref().is_some_and(|(draft, _)| draft.score > -0.15) {
                break;
            }
        }
        let (draft, ribbon) = best?;
        self.refine(draft, ribbon)
    }

    /// The best of the likeliest grids for so many characters.
    fn draft(&mut self, picture: &Pyramid, ribbon: &Ribbon, count: usize, pitch: f32) -> Option<Draft> {
        let strip = Strip::cut(picture, ribbon, pitch, count)?;
        let mut best: Option<(f32, Grid, Vec<Probabilities>)> = None;
        for grid in strip.grids(count, 3) {
            let (score, places) = self.classify(&strip, &grid)?;
            if best.as_ref().is_none_or(|(least, ..)| score > *least) {
                best = Some((score, grid, places));
            }
        }
        best.map(|(score, grid, places)| Draft {
            strip,
            pitch,
            grid,
            places,
            score,
        })
    }

    /// Moves the grid of a promising draft by small steps as long as that makes the reading more certain.
    fn refine(&mut self, mut draft: Draft, ribbon: &Ribbon) -> Option<Line> {
        if draft.score < SCORE_MIN {
            return None;
        }
        for _ in 0..2 {
            for change in CHANGES {
                if draft.score > -0.003 {
                    break;
                }
                let mut tried = draft.grid;
                tried.middle.0 += change[0];
                tried.middle.1 += change[1];
                tried.tall *= change[2];
                tried.start += change[3];
                tried.end += change[4];
                tried.stretch += change[5];
                let (found, read) = self.classify(&draft.strip, &tried)?;
                if found > draft.score {
                    (draft.score, draft.grid, draft.places) = (found, tried, read);
                }
            }
        }
        if draft.strip.goes_on(&draft.grid) {
            return None;
        }
        Some(
            draft
                .strip
                .line(ribbon, &draft.grid, draft.pitch, draft.places, draft.score),
        )
    }

    /// The probabilities of every place, and the mean logarithm of the best ones; `None` when the budget is spent.
    fn classify(&mut self, strip: &Strip, grid: &Grid) -> Option<(f32, Vec<Probabilities>)> {
        self.cells_left = self.cells_left.checked_sub(grid.count)?;
        let places: Vec<Probabilities> = (0..grid.count)
            .map(|at| self.glyphs.classify(&strip.cell(grid, at)))
            .collect();
        let sum: f32 = places
            .iter()
            .map(|place| place.iter().copied().fold(1e-6, f32::max).ln())
            .sum();
        Some((sum / grid.count as f32, places))
    }
}

/// A line before its grid is refined.
struct Draft {
    strip: Strip,
    pitch: f32,
    grid: Grid,
    places: Vec<Probabilities>,
    score: f32,
}

/// Below this mean logarithm of probabilities, a ribbon is not a line of a zone.
const SCORE_MIN: f32 = -0.7;

/// Small changes to a grid that are tried one after the other: the middle at both ends, the height, the start, the
/// end, the stretch.
const CHANGES: &[[f32; 6]] = &[
    [1.5, 1.5, 1.0, 0.0, 0.0, 0.0],
    [-1.5, -1.5, 1.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.93, 0.0, 0.0, 0.0],
    [0.0, 0.0, 1.07, 0.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 1.3, 0.0, 0.0],
    [0.0, 0.0, 1.0, -1.3, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 1.3, 0.0],
    [0.0, 0.0, 1.0, 0.0, -1.3, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0, 1.5],
    [0.0, 0.0, 1.0, 0.0, 0.0, -1.5],
    [1.5, -1.5, 1.0, 0.0, 0.0, 0.0],
    [-1.5, 1.5, 1.0, 0.0, 0.0, 0.0],
];

/// Keeps the better of two readings of the same line.
fn keep(lines: &mut Vec<Line>, line: Line) {
    let same = lines.iter_mut().find(|other| {
        let (dx, dy) = (line.centre.0 - other.centre.0, line.centre.1 - other.centre.1);
        let level = line.axis.0 * other.axis.0 + line.axis.1 * other.axis.1;
        other.places.len() == line.places.len() && level > 0.9 && dx.hypot(dy) < 0.8 * line.pitch
    });
    match same {
        Some(other) if line.score > other.score => *other = line,
        Some(_) => {}
        None => lines.push(line),
    }
    if lines.len() > LINES_MAX {
        lines.sort_by(|a, b| b.score.total_cmp(&a.score));
        lines.truncate(LINES_MAX);
    }
}

/// The most probable text of a line, for people who look into a reading.
#[must_use]
pub fn text(line: &Line) -> String {
    let best = |place: &Probabilities| {
        let at = place.iter().enumerate().fold(
            (0, -1.0),
            |best, (at, p)| if *p > best.1 { (at, *p) } else { best },
        );
        char::from(ALPHABET[at.0])
    };
    line.places.iter().map(best).collect()
}
