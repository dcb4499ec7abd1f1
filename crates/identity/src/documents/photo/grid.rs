//! One ribbon as a straight strip, and the fixed-pitch grid of its characters.

use super::assemble::Line;
use super::glyphs::{CELL_HEIGHT, CELL_WIDTH, Pixels, Probabilities};
use super::raster::Pyramid;
use super::ribbons::Ribbon;

/// Pixels of a strip per character.
pub const UNIT: usize = 20;
/// Characters of blank kept on either side of a strip.
const MARGIN: usize = 3;
/// Rows of a strip: 2.4 characters.
const ROWS: usize = 48;
/// Least difference between ink and paper, in grey levels.
const CONTRAST_MIN: f32 = 14.0;

/// A straightened line of text; darkness 0 paper, 1 ink.
pub struct Strip {
    width: usize,
    dark: Vec<f32>,
}

/// Where the characters of a strip stand, in its pixels: the left edge of the first, the right edge of the last, how
/// much the pitch grows along the way, and the height of the middle of the line at both ends.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// How many characters.
    pub count: usize,
    /// Left edge of the first character.
    pub start: f32,
    /// Right edge of the last character.
    pub end: f32,
    /// How far the middle of the line lies right of half way, in pixels: perspective.
    pub stretch: f32,
    /// Row of the middle of a capital, at the start and at the end.
    pub middle: (f32, f32),
    /// Height of the characters relative to their pitch; 1 as the standard draws them.
    pub tall: f32,
}

impl Grid {
    /// The column of the boundary before character `at` (`at` may lie between characters).
    #[must_use]
    pub fn column(&self, at: f32) -> f32 {
        let t = at / self.count as f32;
        self.start + (self.end - self.start) * t + 4.0 * self.stretch * t * (1.0 - t)
    }

    /// In pixels of the strip, on average.
    #[must_use]
    pub fn pitch(&self) -> f32 {
        (self.end - self.start) / self.count as f32
    }
}

impl Strip {
    /// The ribbon straightened for `count` characters of `pitch` pixels of the picture; `None` without contrast.
    #[must_use]
    pub fn cut(picture: &Pyramid, ribbon: &Ribbon, pitch: f32, count: usize) -> Option<Self> {
        let width = (count + 2 * MARGIN) * UNIT;
        let step = pitch / UNIT as f32;
        let (ax, ay) = ribbon.axis;
        let mut grey = vec![0.0; width * ROWS];
        for u in 0..width {
            let along = (u as f32 + 0.5 - width as f32 / 2.0) * step;
            let bend = ribbon.bend * (along * along - ribbon.length * ribbon.length / 12.0);
            for v in 0..ROWS {
                let across = (v as f32 + 0.5 - ROWS as f32 / 2.0) * step + bend;
                let x = ribbon.centre.0 + ax * along - ay * across;
                let y = ribbon.centre.1 + ay * along + ax * across;
                grey[v * width + u] = picture.sample(x, y, step);
            }
        }
        let dark = darkness(&grey, width)?;
        Some(Self { width, dark })
    }

    /// The line that a grid of this strip makes of its ribbon. `pitch` as given to [`Strip::cut`].
    #[must_use]
    pub fn line(
        &self,
        ribbon: &Ribbon,
        grid: &Grid,
        pitch: f32,
        places: Vec<Probabilities>,
        score: f32,
    ) -> Line {
        let step = pitch / UNIT as f32;
        let along = (f32::midpoint(grid.start, grid.end) - self.width as f32 / 2.0) * step;
        let across = (f32::midpoint(grid.middle.0, grid.middle.1) - ROWS as f32 / 2.0) * step
            + ribbon.bend * (along * along - ribbon.length * ribbon.length / 12.0);
        let (ax, ay) = ribbon.axis;
        Line {
            centre: (
                ribbon.centre.0 + ax * along - ay * across,
                ribbon.centre.1 + ay * along + ax * across,
            ),
            axis: ribbon.axis,
            pitch: grid.pitch() * step,
            bend: ribbon.bend,
            places,
            score,
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (ROWS - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(ROWS - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let dark = |x: usize, y: usize| self.dark[y * self.width + x];
        let upper = dark(left, top) * (1.0 - fx) + dark(right, top) * fx;
        let lower = dark(left, bottom) * (1.0 - fx) + dark(right, bottom) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// The cell of one character: a little wider than its pitch and half as high again.
    #[must_use]
    pub fn cell(&self, grid: &Grid, at: usize) -> Pixels {
        let (left, right) = (grid.column(at as f32), grid.column(at as f32 + 1.0));
        let (centre, pitch) = (f32::midpoint(left, right), right - left);
        let way = (at as f32 + 0.5) / grid.count as f32;
        let middle = grid.middle.0 + (grid.middle.1 - grid.middle.0) * way;
        let mut cell = [0.0; CELL_WIDTH * CELL_HEIGHT];
        for (row, line) in cell.chunks_exact_mut(CELL_WIDTH).enumerate() {
            let y = ((row as f32 + 0.5) / CELL_HEIGHT as f32 - 0.5) * 1.5 * grid.tall * grid.pitch();
            for (column, value) in line.iter_mut().enumerate() {
                let x = ((column as f32 + 0.5) / CELL_WIDTH as f32 - 0.5) * 1.2 * pitch;
                *value = self.at(centre + x - 0.5, middle + y - 0.5).min(1.0);
            }
        }
        cell
    }

    /// The grids of `count` characters that fit the gaps of the strip best, best first, each unlike the others.
    #[must_use]
    pub fn grids(&self, count: usize, most: usize) -> Vec<Grid> {
        let middle = self.middle(0.0, self.width as f32);
        let profile = self.profile(middle);
        let (from, to) = ((MARGIN * UNIT) as f32, (self.width - MARGIN * UNIT) as f32);
        let grid = |start: f32, end: f32, stretch: f32| Grid {
            count,
            start,
            end,
            stretch,
            middle: (middle, middle),
            tall: 1.0,
        };
        // First coarsely, then closely around the best.
        let mut tried = Vec::new();
        for s in -6..=6 {
            for e in -6..=6 {
                for stretch in [-6.0, 0.0, 6.0] {
                    let grid = grid(from + s as f32 * 4.5, to + e as f32 * 4.5, stretch);
                    tried.push((fit(&profile, &grid), grid));
                }
            }
        }
        let mut best = apart(tried, 2 * most, 8.0);
        let mut closely = Vec::new();
        for near in best.drain(..) {
            for s in [-2.2, 0.0, 2.2] {
                for e in [-2.2, 0.0, 2.2] {
                    for stretch in [-3.0, 0.0, 3.0] {
                        let grid = grid(near.start + s, near.end + e, near.stretch + stretch);
                        closely.push((fit(&profile, &grid), grid));
                    }
                }
            }
        }
        let mut best = apart(closely, most, 6.0);
        for grid in &mut best {
            let half = f32::midpoint(grid.start, grid.end);
            let (left, right) = (self.middle(grid.start, half), self.middle(half, grid.end));
            // The means stand at a quarter and at three quarters of the way.
            let slope = (right - left).clamp(-6.0, 6.0);
            let centre = f32::midpoint(left, right);
            grid.middle = (centre - slope, centre + slope);
        }
        best
    }

    /// Whether something as dark as a character stands right before the first or right after the last place: then the
    /// line is longer than the grid, and what was read of it is a piece.
    #[must_use]
    pub fn goes_on(&self, grid: &Grid) -> bool {
        let ink = |from: f32, to: f32| {
            let row = |row: usize| {
                let y = row as f32 + 0.5;
                let middle = grid.middle.0
                    + (grid.middle.1 - grid.middle.0) * ((from - grid.start) / (grid.end - grid.start));
                (y - middle).abs() <= 9.0
            };
            (0..ROWS)
                .filter(|at| row(*at))
                .flat_map(|row| {
                    (from.max(0.0) as usize..(to as usize).min(self.width)).map(move |x| (row, x))
                })
                .map(|(row, x)| (self.dark[row * self.width + x] - 0.3).max(0.0))
                .sum::<f32>()
        };
        let pitch = grid.pitch();
        let mut inside: Vec<f32> = (0..grid.count)
            .map(|at| ink(grid.column(at as f32 + 0.15), grid.column(at as f32 + 0.85)))
            .collect();
        let least = 0.6 * quantile(&mut inside, 0.1);
        let before = ink(grid.start - 0.85 * pitch, grid.start - 0.15 * pitch);
        let after = ink(grid.end + 0.15 * pitch, grid.end + 0.85 * pitch);
        before > least.max(1.0) || after > least.max(1.0)
    }

    /// The mean row of the ink between two columns, near the middle of the strip.
    fn middle(&self, from: f32, to: f32) -> f32 {
        let mut middle = ROWS as f32 / 2.0;
        // Twice: the second time within reach of the line itself.
        for reach in [20.0, 15.0] {
            let (mut sum, mut weight) = (0.0, 0.0);
            for row in 0..ROWS {
                let y = row as f32 + 0.5;
                if (y - middle).abs() <= reach {
                    let ink: f32 = self.dark[row * self.width..(row + 1) * self.width]
                        .iter()
                        .enumerate()
                        .filter(|(x, _)| (from..to).contains(&(*x as f32)))
                        .map(|(_, dark)| (dark - 0.25).max(0.0))
                        .sum();
                    sum += ink * y;
                    weight += ink;
                }
            }
            if weight > 0.0 {
                middle = sum / weight;
            }
        }
        middle
    }

    /// How much ink each column has near the middle of the line.
    fn profile(&self, middle: f32) -> Vec<f32> {
        (0..self.width)
            .map(|x| {
                (0..ROWS)
                    .filter(|row| (*row as f32 + 0.5 - middle).abs() <= 11.0)
                    .map(|row| (self.dark[row * self.width + x] - 0.2).max(0.0))
                    .sum::<f32>()
                    / 22.0
            })
            .collect()
    }
}

/// The best of the grids, best first, none nearer to another than so many pixels at both ends.
fn apart(mut tried: Vec<(f32, Grid)>, most: usize, pixels: f32) -> Vec<Grid> {
    tried.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best: Vec<Grid> = Vec::new();
    for (_, grid) in tried {
        let near =
            |other: &Grid| (other.start - grid.start).abs() < pixels && (other.end - grid.end).abs() < pixels;
        if !best.iter().any(near) {
            best.push(grid);
            if best.len() == most {
                break;
            }
        }
    }
    best
}

/// Ink inside the characters, less ink between and beside them.
fn fit(profile: &[f32], grid: &Grid) -> f32 {
    let at = |x: f32| profile.get(x.max(0.0) as usize).copied().unwrap_or(0.0);
    let (mut inside, mut between) = (0.0, 0.0);
    for i in 0..grid.count {
        let edge = grid.column(i as f32);
        between += at(edge) + 0.5 * (at(edge - 1.5) + at(edge + 1.5));
        let (a, b, c) = (i as f32 + 0.3, i as f32 + 0.5, i as f32 + 0.7);
        let ink = at(grid.column(a)) + at(grid.column(b)) + at(grid.column(c));
        inside += ink.min(0.9);
    }
    between += at(grid.end);
    let mut beside = 0.0;
    for step in 2..18 {
        beside += at(grid.start - step as f32) + at(grid.end + step as f32);
    }
    (inside - between) / grid.count as f32 - 0.01 * beside
}

/// The value below which a share of the values lies.
fn quantile(values: &mut [f32], share: f32) -> f32 {
    let at = ((values.len() - 1) as f32 * share) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// Grey to darkness: paper measured near by, ink over a longer way, both from the strip itself.
fn darkness(grey: &[f32], width: usize) -> Option<Vec<f32>> {
    let window = |centre: usize, reach: usize, step: usize| -> Vec<f32> {
        let (from, to) = (centre.saturating_sub(reach), (centre + reach).min(width));
        let rows = (ROWS / 2 - 16)..(ROWS / 2 + 16);
        rows.flat_map(|row| (from..to).step_by(step).map(move |x| grey[row * width + x]))
            .collect()
    };
    let knots: Vec<(f32, f32)> = (0..=width / UNIT)
        .map(|k| {
            let paper = quantile(&mut window(k * UNIT, 2 * UNIT, 2), 0.75);
            let ink = quantile(&mut window(k * UNIT, 6 * UNIT, 4), 0.03);
            (paper, ink)
        })
        .collect();
    let contrast = knots.iter().map(|(paper, ink)| paper - ink).sum::<f32>() / knots.len() as f32;
    if contrast < CONTRAST_MIN {
        return None;
    }
    let mut dark = Vec::with_capacity(grey.len());
    for row in grey.chunks_exact(width) {
        for (x, value) in row.iter().enumerate() {
            let (k, part) = (x / UNIT, (x % UNIT) as f32 / UNIT as f32);
            let (one, next) = (knots[k], knots[(k + 1).min(knots.len() - 1)]);
            let paper = one.0 + (next.0 - one.0) * part;
            let ink = one.1 + (next.1 - one.1) * part;
            dark.push(((paper - value) / (paper - ink).max(CONTRAST_MIN / 2.0)).clamp(0.0, 1.2));
        }
    }
    Some(dark)
}
