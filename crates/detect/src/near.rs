//! Slips of the pen: a word that is nearly one that is known.

/// The known word that one slip away from this one; `None` when the word itself is known, short or far from all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    if word.len() < 4 || known.contains(&word) {
        return None;
    }
    let slips = if word.len() < 8 { 1 } else { 2 };
    let near = known
        .into_iter()
        .map(|other| (distance(word, other), other))
        .min()?;
    (near.0 <= slips && near.1.len() >= 4).then_some(near.1)
}

/// Insertions, deletions and replacements between two words, two exchanged letters counted as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 2 {
        return 3;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let mut least = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]));
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn one_slip_is_found_and_a_word_of_its_own_is_left_alone() {
        let known = ["msisdn", "sim_swap", "imsi", "imei", "ts"];
        assert_eq!(nearest("msidsn", known), Some("msisdn"));
        assert_eq!(nearest("simswap", known), Some("sim_swap"));
        for own in ["imsi", "imei", "tariff", "t", "swap"] {
            assert_eq!(nearest(own, known), None, "{own}");
        }
    }
}
