//! What a document's history says: facts for the guard, not verdicts. One document under several names, one picture
//! under several people.
//!
//! Numbers and names come in as keyed hashes (blind indexes): equality is all that is needed here.

/// A keyed hash of something personal, as the store keeps it.
pub type BlindIndex = [u8; 32];

/// A use of a document at a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentUse {
    /// Whose registration: the party.
    pub party: BlindIndex,
    /// Issuer, kind and number of the document.
    pub document: BlindIndex,
    /// The holder's names as in the zone, in the document's order.
    pub names: BlindIndex,
    /// The birth date.
    pub birth_date: BlindIndex,
    /// SHA-256 of the picture's file, where there was one.
    pub picture: Option<[u8; 32]>,
    /// The picture's perceptual hash ([`crate::biometrics::replay::perceptual_hash`]).
    pub likeness: Option<u64>,
}

/// What earlier uses say about a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    /// Registrations on this document before.
    pub uses: usize,
    /// Other names that this document was used under.
    pub other_names: usize,
    /// Other birth dates that this document was used under.
    pub other_birth_dates: usize,
    /// Other parties whose registration used the very same file.
    pub same_picture_other_party: usize,
    /// Other parties whose picture looks the same: cropped, scaled or compressed anew.
    pub like_picture_other_party: usize,
}

/// Compares a new use with the earlier ones, in any order.
#[must_use]
pub fn facts<'a>(new: &DocumentUse, earlier: impl IntoIterator<Item = &'a DocumentUse>) -> DocumentFacts {
    let (mut uses, mut names, mut births) = (0, Vec::new(), Vec::new());
    let (mut same, mut like) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<BlindIndex>, item: BlindIndex| {
        if !list.contains(&item) {
            list.push(item);
        }
    };
    for old in earlier {
        if old.document == new.document {
            uses += 1;
            if old.names != new.names {
                add(&mut names, old.names);
            }
            if old.birth_date != new.birth_date {
                add(&mut births, old.birth_date);
            }
        }
        if old.party != new.party {
            if new.picture.is_some() && old.picture == new.picture {
                add(&mut same, old.party);
            } else if let (Some(one), Some(other)) = (old.likeness, new.likeness)
                && crate::biometrics::replay::alike(one, other)
            {
                add(&mut like, old.party);
            }
        }
    }
    DocumentFacts {
        uses,
        other_names: names.len(),
        other_birth_dates: births.len(),
        same_picture_other_party: same.len(),
        like_picture_other_party: like.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentFacts, DocumentUse, facts};

    fn one(party: u8, document: u8, names: u8) -> DocumentUse {
        DocumentUse {
            party: [party; 32],
            document: [document; 32],
            names: [names; 32],
            birth_date: [names; 32],
            picture: Some([party; 32]),
            likeness: Some(u64::from(party) << 56 | 0x0000_ffff_00ff_f00f),
        }
    }

    #[test]
    fn a_ring_on_one_document_and_one_picture_shows() {
        let ring: Vec<DocumentUse> = (1..=12).map(|n| one(n, 1, n)).collect();
        let mut new = one(13, 1, 13);
        new.likeness = None;
        let found = facts(&new, &ring);
        assert_eq!(
            (found.uses, found.other_names, found.other_birth_dates),
            (12, 12, 12)
        );
        assert_eq!(
            (found.same_picture_other_party, found.like_picture_other_party),
            (0, 0)
        );
        new.picture = Some([3; 32]);
        assert_eq!(facts(&new, &ring).same_picture_other_party, 1);
        new.picture = Some([99; 32]);
        new.likeness = Some(one(3, 1, 3).likeness.unwrap_or_default() ^ 1);
        assert!(facts(&new, &ring).like_picture_other_party >= 1);
    }

    #[test]
    fn an_honest_second_line_shows_nothing_but_its_use() {
        let first = one(1, 1, 1);
        let found = facts(&first, [&first]);
        assert_eq!(
            found,
            DocumentFacts {
                uses: 1,
                ..DocumentFacts::default()
            }
        );
        assert_eq!(facts(&one(2, 2, 2), []), DocumentFacts::default());
    }
}
