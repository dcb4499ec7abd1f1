//! Whether a capture was seen before, and whether it is good enough to look at.

use crate::documents::photo::raster::Grey;

/// Pictures whose perceptual hashes differ in at most so many of 64 bits are alike.
pub const ALIKE_BITS: u32 = 6;

/// A perceptual hash: 64 comparisons of neighbouring parts of the picture, so that scaling, mild cropping and new
/// compression change few of them. Not a secret and not a proof: pictures without structure hash alike.
#[must_use]
pub fn perceptual_hash(picture: &Grey) -> u64 {
    let (width, height) = (picture.width(), picture.height());
    let mean = |column: usize, row: usize| -> u64 {
        let span = |at: usize, parts: usize, size: usize| {
            let from = at * size / parts;
            from..((at + 1) * size / parts).max(from + 1).min(size)
        };
        let (columns, rows) = (span(column, 9, width), span(row, 8, height));
        let count = (columns.len() * rows.len()).max(1) as u64;
        let sum: u64 = rows
            .flat_map(|y| columns.clone().map(move |x| (x, y)))
            .filter_map(|(x, y)| picture.pixels().get(y * width + x))
            .map(|pixel| u64::from(*pixel))
            .sum();
        sum * 256 / count
    };
    let mut hash = 0;
    for row in 0..8 {
        for column in 0..8 {
            hash = (hash << 1) | u64::from(mean(column, row) < mean(column + 1, row));
        }
    }
    hash
}

/// Whether two perceptual hashes are of pictures that look the same.
#[must_use]
pub const fn alike(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() <= ALIKE_BITS
}

/// How good a capture is, in grey levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// The mean grey, 0 to 255.
    pub brightness: f32,
    /// The standard deviation of the grey.
    pub contrast: f32,
    /// The mean square of the Laplacian: small when blurred.
    pub sharpness: f32,
    /// The share of pixels that are white without detail: reflections.
    pub glare: f32,
}

/// Measures a capture.
#[must_use]
pub fn quality(picture: &Grey) -> Quality {
    let (width, height) = (picture.width(), picture.height());
    let pixels = picture.pixels();
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|p| f64::from(*p)).sum::<f64>() / n;
    let variance = pixels.iter().map(|p| (f64::from(*p) - mean).powi(2)).sum::<f64>() / n;
    let (mut squares, mut count) = (0.0, 0.0);
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let at = |x: usize, y: usize| f64::from(pixels[y * width + x]);
            let laplacian = 4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1);
            squares += laplacian * laplacian;
            count += 1.0;
        }
    }
    let white = pixels.iter().filter(|p| **p >= 250).count() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "measures of 8-bit pixels")]
    let single = |value: f64| value as f32;
    Quality {
        brightness: single(mean),
        contrast: single(variance.sqrt()),
        sharpness: single(squares / f64::max(count, 1.0)),
        glare: single(white / n),
    }
}

#[cfg(test)]
mod tests {
    use super::{alike, perceptual_hash, quality};
    use crate::documents::photo::raster::Grey;

    fn scene(phase: f32) -> Grey {
        let pixel = |i: usize| {
            let (x, y) = ((i % 200) as f32 / 31.0, (i / 200) as f32 / 23.0);
            #[expect(clippy::cast_possible_truncation, reason = "between 0 and 255")]
            let grey = (128.0 + 60.0 * (x + phase).sin() + 60.0 * (y * 1.7 - phase * x).cos()) as u8;
            grey
        };
        Grey::new(200, 160, (0..200 * 160).map(pixel).collect()).unwrap()
    }

    #[test]
    fn a_scaled_picture_is_alike_and_another_is_not() {
        let picture = scene(0.3);
        let hash = perceptual_hash(&picture);
        assert!(alike(hash, perceptual_hash(&picture.shrink(1.9))));
        assert!(!alike(hash, perceptual_hash(&scene(2.2))));
    }

    #[test]
    fn blur_lowers_sharpness() {
        let board = |cell: usize| {
            let grey = |i: usize| {
                if (i % 64 / cell + i / 64 / cell).is_multiple_of(2) {
                    0
                } else {
                    255
                }
            };
            Grey::new(64, 64, (0..64 * 64).map(grey).collect()).unwrap()
        };
        assert!(quality(&board(2)).sharpness > 3.0 * quality(&board(16)).sharpness);
        assert!((quality(&board(2)).glare - 0.5).abs() < 0.01);
        let _ = quality(&Grey::new(1, 1, vec![7]).unwrap());
    }
}
