//! Grey images: sampling, shrinking, turning.

/// A grey image, 0 black to 255 white, rows from the top.
#[derive(Clone)]
pub struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    /// Out of rows of pixels; `None` when there are not width × height of them, or none at all.
    #[must_use]
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        (width > 0 && height > 0 && width.checked_mul(height) == Some(pixels.len())).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// In pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// In pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The grey between the four pixels around a point, in pixel centres; outside, the nearest edge.
    #[must_use]
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| f32::from(self.pixels[y * self.width + x]);
        let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
        let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
        upper + (lower - upper) * fy
    }

    /// Shrunk by a factor of at least 1, each new pixel the mean of what it covers.
    #[must_use]
    pub fn shrink(&self, factor: f32) -> Self {
        let size = |old: usize| ((old as f32 / factor).round() as usize).max(1);
        let (width, height) = (size(self.width), size(self.height));
        let span = |i: usize, new: usize, old: usize| {
            let from = i * old / new;
            (from, ((i + 1) * old / new).max(from + 1))
        };
        let columns: Vec<(usize, usize)> = (0..width).map(|x| span(x, width, self.width)).collect();
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, bottom) = span(y, height, self.height);
            for (left, right) in &columns {
                let mut sum = 0_u32;
                for row in top..bottom {
                    let start = row * self.width;
                    sum += self.pixels[start + left..start + right]
                        .iter()
                        .map(|p| u32::from(*p))
                        .sum::<u32>();
                }
                let count = ((bottom - top) * (right - left)) as u32;
                pixels.push((sum / count) as u8);
            }
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Rows become columns.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for x in 0..self.width {
            pixels.extend((0..self.height).map(|y| self.pixels[y * self.width + x]));
        }
        Self {
            width: self.height,
            height: self.width,
            pixels,
        }
    }

    /// Left becomes right.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.pixels.chunks_exact_mut(self.width).for_each(<[u8]>::reverse);
        self
    }
}

/// An image and its halves, for sampling at any size without moiré.
pub struct Pyramid(Vec<Grey>);

impl Pyramid {
    /// The image, its half, its quarter …
    #[must_use]
    pub fn new(image: Grey) -> Self {
        let mut levels = vec![image];
        while levels.len() < 5 && levels.last().is_some_and(|l| l.width.min(l.height) >= 64) {
            let half = levels[levels.len() - 1].shrink(2.0);
            levels.push(half);
        }
        Self(levels)
    }

    /// The image itself.
    #[must_use]
    pub fn full(&self) -> &Grey {
        &self.0[0]
    }

    /// The grey at a point of the full image, averaged over about `step` of its pixels.
    #[must_use]
    pub fn sample(&self, x: f32, y: f32, step: f32) -> f32 {
        let (level, scale) = self.level(step);
        let at = |v: f32| (v + 0.5) / scale - 0.5;
        level.sample(at(x), at(y))
    }

    fn level(&self, step: f32) -> (&Grey, f32) {
        let mut at = 0;
        while at + 1 < self.0.len() && (2 << at) as f32 <= step * 1.2 {
            at += 1;
        }
        // The halves of odd sizes are not quite halves.
        let level = &self.0[at];
        (level, self.0[0].width as f32 / level.width as f32)
    }
}
