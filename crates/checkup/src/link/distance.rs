//! How far two shapes are apart: edits, counted in halves, since some letters are mistaken more easily than others.

/// Longest shape that is compared; brands and labels beyond it are not.
pub(crate) const SHAPE_MAX: usize = 64;

/// One edit.
pub(crate) const EDIT: u8 = 2;

/// Whether the eye mistakes one for the other, though not as easily as those that `shape` joins.
fn confusable(a: u8, b: u8) -> bool {
    matches!(
        (a.min(b), a.max(b)),
        (b'b', b'd') | (b'c', b'e') | (b'm', b'n') | (b'n', b'r') | (b'h', b'n')
    )
}

/// Which letters occur, those that are mistaken for each other as one: two shapes at a distance of `n` full edits
/// differ in at most `2n` bits.
pub(crate) fn letters(shape: &[u8]) -> u64 {
    shape.iter().fold(0, |mask, byte| {
        let bit = match byte {
            b'd' | b'c' | b'e' | b'b' => 1,
            b'm' | b'n' | b'r' | b'h' => 12,
            b'a'..=b'z' => u32::from(byte - b'a'),
            b'0'..=b'9' => 26 + u32::from(byte - b'0'),
            _ => 40,
        };
        mask | (1 << bit)
    })
}

/// The distance in half edits (insertion, omission, replacement, transposition of neighbours), or `None` above `max`.
pub(crate) fn distance(a: &[u8], b: &[u8], max: u8) -> Option<u8> {
    if a.len() > SHAPE_MAX || b.len() > SHAPE_MAX || a.len().abs_diff(b.len()) > usize::from(max / EDIT) {
        return None;
    }
    let mut before = [0u8; SHAPE_MAX + 1];
    let mut last = [0u8; SHAPE_MAX + 1];
    let mut row = [0u8; SHAPE_MAX + 1];
    for (j, cell) in last.iter_mut().enumerate().take(b.len() + 1) {
        *cell = u8::try_from(j * usize::from(EDIT)).unwrap_or(u8::MAX);
    }
    for i in 1..=a.len() {
        row[0] = u8::try_from(i * usize::from(EDIT)).unwrap_or(u8::MAX);
        let mut least = row[0];
        for j in 1..=b.len() {
            let (x, y) = (a[i - 1], b[j - 1]);
            let change = match x == y {
                true => 0,
                false if confusable(x, y) => 1,
                false => EDIT,
            };
            let mut cell = last[j - 1]
                .saturating_add(change)
                .min(last[j].saturating_add(EDIT))
                .min(row[j - 1].saturating_add(EDIT));
            if i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y && x != y {
                cell = cell.min(before[j - 2].saturating_add(EDIT));
            }
            row[j] = cell;
            least = least.min(cell);
        }
        if least > max {
            return None;
        }
        before = last;
        last = row;
    }
    let found = last[b.len()];
    (found <= max).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edits_are_counted_in_halves() {
        for (a, b, halves) in [
            ("acleda", "acleda", 0),
            ("acleda", "aceda", 2),
            ("acleda", "acelda", 2),
            ("acleda", "acleba", 1),
            ("acleda", "aclebe", 3),
            ("metfone", "metfome", 1),
            ("metfone", "mettfonne", 4),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes(), 4), Some(halves), "{a} {b}");
        }
        assert_eq!(distance(b"acleda", b"canadia", 4), None);
    }

    proptest! {
        #[test]
        fn the_filter_never_hides_what_is_near(a in "[a-z0-9-]{1,12}", b in "[a-z0-9-]{1,12}") {
            if distance(a.as_bytes(), b.as_bytes(), 4).is_some() {
                let apart = (letters(a.as_bytes()) ^ letters(b.as_bytes())).count_ones();
                prop_assert!(apart <= 4);
            }
            prop_assert_eq!(distance(a.as_bytes(), b.as_bytes(), 4), distance(b.as_bytes(), a.as_bytes(), 4));
        }
    }
}
