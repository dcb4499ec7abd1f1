//! Finds what may be lines of text: long thin dark ribbons, level within some degrees, slightly bent.

use super::raster::Grey;

/// A long thin dark ribbon: an axis through its middle, and how the middle bends away from it.
#[derive(Clone, Debug)]
pub struct Ribbon {
    /// The middle, in pixels of the full image.
    pub centre: (f32, f32),
    /// Its direction, of length 1.
    pub axis: (f32, f32),
    /// In pixels of the full image.
    pub length: f32,
    /// In pixels of the full image, as far as it can be told.
    pub thickness: f32,
    /// How far the middle lies from the axis, towards its right hand (downwards on the page), per square of the way
    /// from the centre: 1/pixel.
    pub bend: f32,
}

/// Ribbons looked at in one picture.
const RIBBONS_MAX: usize = 48;

/// All ribbons at one size of the picture, longest first. `scale`: pixels of the full image per pixel here.
#[must_use]
pub fn find(grey: &Grey, scale: f32) -> Vec<Ribbon> {
    let energy = energy(grey);
    let base = otsu(&energy);
    let mut found: Vec<Ribbon> = Vec::new();
    for factor in [1.1, 0.7, 0.4] {
        let threshold = (f32::from(base) * factor).max(3.0) as u8;
        for mut ribbon in components(&energy, grey.width(), threshold) {
            extend(&mut ribbon, &energy, grey.width());
            let known = found.iter().any(|other| {
                let (dx, dy) = (ribbon.centre.0 - other.centre.0, ribbon.centre.1 - other.centre.1);
                let across = dx * other.axis.1 - dy * other.axis.0;
                dx.abs() < 0.06 * other.length
                    && across.abs() < 0.6 * other.thickness
                    && (ribbon.length / other.length - 1.0).abs() < 0.06
            });
            if !known {
                found.push(ribbon);
            }
        }
    }
    found.sort_by(|a, b| b.length.total_cmp(&a.length));
    found.truncate(RIBBONS_MAX);
    for ribbon in &mut found {
        let at = |v: f32| (v + 0.5) * scale - 0.5;
        ribbon.centre = (at(ribbon.centre.0), at(ribbon.centre.1));
        ribbon.length *= scale;
        ribbon.thickness *= scale;
        ribbon.bend /= scale;
    }
    found
}

/// Follows a ribbon beyond its ends: a run of fillers is paler than letters and falls below the threshold.
fn extend(ribbon: &mut Ribbon, energy: &[u8], width: usize) {
    let height = energy.len() / width;
    let at = |along: f32| -> u8 {
        let across = ribbon.bend * (along * along - ribbon.length * ribbon.length / 12.0);
        (-1..=1)
            .filter_map(|off| {
                let across = across + off as f32;
                let x = ribbon.centre.0 + ribbon.axis.0 * along - ribbon.axis.1 * across;
                let y = ribbon.centre.1 + ribbon.axis.1 * along + ribbon.axis.0 * across;
                let inside = x >= 0.0 && y >= 0.0 && (x as usize) < width && (y as usize) < height;
                inside.then(|| energy[y as usize * width + x as usize])
            })
            .max()
            .unwrap_or(0)
    };
    let half = ribbon.length / 2.0;
    let mut inside: Vec<u8> = (-(half as i32)..half as i32)
        .map(|along| at(along as f32))
        .collect();
    if inside.is_empty() {
        return;
    }
    let middle = inside.len() / 2;
    let enough = f32::from(*inside.select_nth_unstable(middle).1) * 0.33;
    let reach = |sign: f32| {
        let (mut last, mut step) = (half, half);
        while step - last <= 0.5 * ribbon.thickness && step < 3.0 * half {
            step += 1.0;
            if f32::from(at(sign * step)) >= enough {
                last = step;
            }
        }
        last
    };
    let (before, after) = (reach(-1.0), reach(1.0));
    let middle = (after - before) / 2.0;
    ribbon.centre.0 += ribbon.axis.0 * middle;
    ribbon.centre.1 += ribbon.axis.1 * middle;
    ribbon.length = before + after;
}

/// Sliding minimum or maximum over 2r+1 values, along rows of `width`.
fn slide(pixels: &[u8], width: usize, radius: usize, pick: fn(u8, u8) -> u8) -> Vec<u8> {
    let mut out = pixels.to_vec();
    for (row, into) in pixels.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        for (x, value) in into.iter_mut().enumerate() {
            let around = &row[x.saturating_sub(radius)..(x + radius + 1).min(width)];
            *value = around.iter().copied().fold(row[x], pick);
        }
    }
    out
}

fn square(pixels: Vec<u8>, width: usize, radius: usize, pick: fn(u8, u8) -> u8) -> Option<Grey> {
    let height = pixels.len() / width;
    let rows = Grey::new(width, height, slide(&pixels, width, radius, pick))?.transposed();
    let both = slide(rows.pixels(), height, radius, pick);
    Some(Grey::new(height, width, both)?.transposed())
}

/// How much thin dark detail there is around each pixel: the black hat, smeared along the line.
fn energy(grey: &Grey) -> Vec<u8> {
    const STROKE: usize = 4;
    let (width, height) = (grey.width(), grey.height());
    let closed = square(grey.pixels().to_vec(), width, STROKE, std::cmp::max)
        .and_then(|wide| square(wide.pixels().to_vec(), width, STROKE, std::cmp::min));
    let Some(closed) = closed else { return Vec::new() };
    let hat: Vec<u8> = closed
        .pixels()
        .iter()
        .zip(grey.pixels())
        .map(|(closed, pixel)| closed.saturating_sub(*pixel))
        .collect();
    let reach = (width.max(height) / 130).max(4);
    let mut out = vec![0; hat.len()];
    for y in 0..height {
        let mut sums = vec![0_u32; width + 1];
        for x in 0..width {
            let column: u32 = (y.saturating_sub(1)..(y + 2).min(height))
                .map(|y| u32::from(hat[y * width + x]))
                .sum();
            sums[x + 1] = sums[x] + column;
        }
        for x in 0..width {
            let (from, to) = (x.saturating_sub(reach), (x + reach + 1).min(width));
            let mean = (sums[to] - sums[from]) / (3 * (to - from) as u32);
            out[y * width + x] = (mean * 2).min(255) as u8;
        }
    }
    out
}

/// The threshold that parts the values best into two classes.
fn otsu(values: &[u8]) -> u8 {
    let mut histogram = [0_u64; 256];
    for value in values {
        histogram[usize::from(*value)] += 1;
    }
    let total = values.len() as f64;
    let sum: f64 = histogram
        .iter()
        .enumerate()
        .map(|(v, n)| v as f64 * *n as f64)
        .sum();
    let (mut count, mut part, mut best, mut at) = (0.0, 0.0, -1.0, 0);
    for (value, n) in (0..=u8::MAX).zip(histogram) {
        count += n as f64;
        part += f64::from(value) * n as f64;
        if count > 0.0 && count < total {
            let gap = part / count - (sum - part) / (total - count);
            let between = count * (total - count) * gap * gap;
            if between > best {
                (best, at) = (between, value);
            }
        }
    }
    at
}

/// The moments of one connected piece.
#[derive(Default)]
struct Piece {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    pixels: Vec<(u16, u16)>,
}

/// The elongated connected pieces above a threshold.
fn components(energy: &[u8], width: usize, threshold: u8) -> Vec<Ribbon> {
    let height = energy.len() / width.max(1);
    let mut seen: Vec<bool> = energy.iter().map(|e| *e <= threshold).collect();
    let mut found = Vec::new();
    let mut stack = Vec::new();
    for start in 0..energy.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        stack.push(start);
        let mut piece = Piece::default();
        while let Some(at) = stack.pop() {
            let (x, y) = (at % width, at / width);
            piece.add(x, y);
            let mut visit = |next: usize| {
                if !seen[next] {
                    seen[next] = true;
                    stack.push(next);
                }
            };
            if x > 0 {
                visit(at - 1);
            }
            if x + 1 < width {
                visit(at + 1);
            }
            if y > 0 {
                visit(at - width);
            }
            if y + 1 < height {
                visit(at + width);
            }
        }
        found.extend(piece.ribbon(width.max(height) as f32));
    }
    found
}

impl Piece {
    fn add(&mut self, x: usize, y: usize) {
        // Working pictures are a few thousand pixels wide at most.
        self.pixels.push((x as u16, y as u16));
        let (x, y) = (x as f64, y as f64);
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    fn ribbon(&self, side: f32) -> Option<Ribbon> {
        if self.n < 60.0 {
            return None;
        }
        let (cx, cy) = (self.x / self.n, self.y / self.n);
        let (xx, xy, yy) = (
            self.xx / self.n - cx * cx,
            self.xy / self.n - cx * cy,
            self.yy / self.n - cy * cy,
        );
        let root = ((xx - yy).powi(2) / 4.0 + xy * xy).sqrt();
        let (major, minor) = ((xx + yy) / 2.0 + root, ((xx + yy) / 2.0 - root).max(0.05));
        let (length, thickness) = ((12.0 * major).sqrt() as f32, (12.0 * minor).sqrt() as f32);
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        if length < 0.2 * side || length < 7.0 * thickness || angle.abs() > 0.6 {
            return None;
        }
        let (axis, centre) = ((angle.cos() as f32, angle.sin() as f32), (cx as f32, cy as f32));
        let (bend, extent, middle) = self.shape(centre, axis);
        Some(Ribbon {
            centre: (centre.0 + axis.0 * middle, centre.1 + axis.1 * middle),
            axis,
            length: extent,
            thickness,
            bend,
        })
    }

    /// How the piece bends (least squares of the way across over the square of the way along), how long it really is,
    /// and how far its middle lies from its centre of mass.
    fn shape(&self, centre: (f32, f32), axis: (f32, f32)) -> (f32, f32, f32) {
        let (mut s4, mut s2, mut sv2, mut sv, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let (mut low, mut high) = (f32::MAX, f32::MIN);
        for (x, y) in &self.pixels {
            let (dx, dy) = (f32::from(*x) - centre.0, f32::from(*y) - centre.1);
            let along = dx * axis.0 + dy * axis.1;
            let across = f64::from(dy * axis.0 - dx * axis.1);
            let square = f64::from(along * along);
            (low, high) = (low.min(along), high.max(along));
            s4 += square * square;
            s2 += square;
            sv2 += across * square;
            sv += across;
            n += 1.0;
        }
        let spread = s4 - s2 * s2 / n;
        let bend = if spread > 0.0 {
            (sv2 - sv * s2 / n) / spread
        } else {
            0.0
        };
        (bend as f32, high - low, f32::midpoint(high, low))
    }
}
