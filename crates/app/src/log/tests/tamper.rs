//! A flipped byte in any file, and a row changed by somebody with SQL, are found and named.

use super::super::{Finding, Folder, FsckReport, LogError, VerifyOptions, fsck, verify};
use super::sequence::hex;
use super::{World, log_only, signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use simwarden_ledger::LedgerError;
use simwarden_model::ImportId;
use simwarden_store::records::Kept as _;
use simwarden_store::records::party::Party;

async fn check(world: &World) -> FsckReport {
    let key = signer().verifier().clone();
    fsck(&world.store, Some(&world.folder("ledger")), &key)
        .await
        .unwrap()
}

async fn publish(world: &World) {
    world.open().await.unwrap().cycle().await.unwrap();
}

#[tokio::test]
async fn a_flipped_byte_is_named_in_every_kind_of_file() {
    let world = World::new().await;
    world.append(600).await;
    publish(&world).await;
    assert_eq!(check(&world).await.findings, []);
    let files = [
        "checkpoint",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    for file in files {
        let at = world.folder("ledger").join(file);
        let good = std::fs::read(&at).unwrap();
        let mut bad = good.clone();
        bad[45] ^= 0x10;
        std::fs::write(&at, &bad).unwrap();
        let failed = verify(
            &Folder::reading(world.folder("ledger")),
            &VerifyOptions::all(log_only()),
        )
        .unwrap_err();
        if let LogError::Ledger(LedgerError::Altered { path, .. }) = &failed {
            assert_eq!(path, file);
        } else {
            assert_eq!(file, "checkpoint", "{failed}");
        }
        let report = check(&world).await;
        let named = |f: &Finding| matches!(f, Finding::File { path, .. } if path == file);
        assert!(report.findings.iter().any(named), "{file}: {:?}", report.findings);
        std::fs::write(&at, good).unwrap();
    }
    std::fs::write(world.folder("ledger").join("tile/0/notes.txt"), "x").unwrap();
    assert!(
        matches!(&check(&world).await.findings[..], [Finding::File { path, .. }] if path == "tile/0/notes.txt")
    );
}

#[tokio::test]
async fn a_row_changed_behind_the_ledger_is_named() {
    let world = World::new().await;
    let plain = world.add_party(false).await;
    let changed = world.add_party(true).await;
    for _ in 0..20 {
        world.add_party(true).await;
    }
    publish(&world).await;
    let clean = check(&world).await;
    assert!(
        clean.is_clean() && clean.rows == 22 && clean.entries == 43,
        "{clean:?}"
    );

    let at = |party: &Party| format!("id = x'{}'", hex(&party.row_id()));
    let (plain_at, changed_at) = (at(&plain), at(&changed));
    let cases = [
        (
            format!("UPDATE party SET flagged = 1 WHERE {plain_at}"),
            &plain,
            "is not what entry 0 recorded",
        ),
        (
            format!("UPDATE party SET flagged = 0 WHERE {changed_at}"),
            &changed,
            "is not what entry 2 recorded",
        ),
        (
            format!("UPDATE party SET version = 3 WHERE {changed_at}"),
            &changed,
            "knows none after 2",
        ),
        (
            format!("UPDATE party SET version = 1 WHERE {changed_at}"),
            &changed,
            "set back",
        ),
        (
            format!("UPDATE party SET kind = 'ghost' WHERE {plain_at}"),
            &plain,
            "cannot be read",
        ),
        (
            format!("UPDATE party SET origin = zeroblob(32) WHERE {plain_at}"),
            &plain,
            "first digest",
        ),
        (
            format!("DELETE FROM party WHERE {plain_at}"),
            &plain,
            "was removed",
        ),
    ];
    for (sql, party, words) in cases {
        let copy = "CREATE TABLE spare AS SELECT * FROM party";
        run(&world, copy).await;
        world.sql(&sql).await;
        let report = check(&world).await;
        let [
            Finding::Row {
                kind: "party",
                id,
                reason,
            },
        ] = &report.findings[..]
        else {
            panic!("{sql}: {:?}", report.findings);
        };
        assert_eq!(*id, hex(&party.row_id()), "{sql}");
        assert!(reason.contains(words), "{sql}: {reason}");
        run(&world, "DELETE FROM party").await;
        run(&world, "INSERT INTO party SELECT * FROM spare").await;
        run(&world, "DROP TABLE spare").await;
    }
    let added = world.party();
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_parties(std::slice::from_ref(&added)).await.unwrap();
    tx.commit().await.unwrap();
    let report = check(&world).await;
    let named = matches!(&report.findings[..], [Finding::Row { id, reason, .. }]
        if *id == hex(&added.row_id()) && reason.contains("added"));
    assert!(named, "{:?}", report.findings);
}

async fn run(world: &World, sql: &str) {
    let file = world.dir.path().join("house.db");
    rusqlite::Connection::open(file)
        .unwrap()
        .execute(sql, [])
        .unwrap();
}

#[tokio::test]
async fn an_entry_changed_or_removed_is_named() {
    let leaf = hex(&simwarden_ledger::leaf_hash(b"{}").0);
    let cases = [
        (
            "UPDATE ledger_entry SET body = x'7b7d' WHERE idx = 17".to_owned(),
            17,
        ),
        (
            format!("UPDATE ledger_entry SET body = x'7b7d', leaf = x'{leaf}' WHERE idx = 18"),
            18,
        ),
        (
            "UPDATE ledger_entry SET kind = 'other' WHERE idx = 19".to_owned(),
            19,
        ),
        ("DELETE FROM ledger_entry WHERE idx = 20".to_owned(), 20),
    ];
    for (sql, wanted) in cases {
        let world = World::new().await;
        world.append(300).await;
        publish(&world).await;
        world.sql(&sql).await;
        let report = check(&world).await;
        let named = |f: &Finding| matches!(f, Finding::Entry { index, .. } if *index == wanted);
        assert!(
            report.findings.first().is_some_and(named),
            "{sql}: {:?}",
            report.findings
        );
    }
    let world = World::new().await;
    world.append(300).await;
    publish(&world).await;
    world.sql("DELETE FROM ledger_entry WHERE idx >= 290").await;
    let report = check(&world).await;
    assert!(
        report
            .findings
            .iter()
            .any(|f| matches!(f, Finding::Checkpoint { .. })),
        "{:?}",
        report.findings
    );
}

#[tokio::test]
async fn rows_of_an_import_are_vouched_for_by_their_chunks() {
    let world = World::new().await;
    let import = ImportId::from_bytes([9; 16]);
    let mut parties: Vec<Party> = (0..50)
        .map(|_| Party {
            import_id: Some(import),
            ..world.party()
        })
        .collect();
    parties.sort_by_key(|party| party.row_id());
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_parties(&parties).await.unwrap();
    tx.commit().await.unwrap();
    let mut all = Sha256::new();
    for (n, chunk) in parties.chunks(20).enumerate() {
        let digest: [u8; 32] = chunk
            .iter()
            .fold(Sha256::new(), |mut hash, row| {
                hash.update(row.digest());
                hash
            })
            .finalize()
            .into();
        all.update(digest);
        let (first, last) = (hex(&chunk[0].row_id()), hex(&chunk[chunk.len() - 1].row_id()));
        world
            .sql(&format!(
                "INSERT INTO import_chunk VALUES (x'{}', 'party', {n}, x'{first}', x'{last}', {}, x'{}')",
                hex(import.as_bytes()),
                chunk.len(),
                hex(&digest)
            ))
            .await;
    }
    let all: [u8; 32] = all.finalize().into();
    let mut body = world.body("import.finished", Vec::new());
    body.detail = serde_json::json!({"import": import, "chunks": 3, "digest": BASE64.encode(all)});
    world.append_body(body).await;
    publish(&world).await;
    let clean = check(&world).await;
    assert!(clean.is_clean() && clean.imports == 1, "{clean:?}");

    let id = hex(&parties[25].row_id());
    let cases = [
        (
            format!("UPDATE party SET flagged = 1 WHERE id = x'{id}'"),
            "not what its import brought",
        ),
        (
            format!("UPDATE party SET version = 2 WHERE id = x'{id}'"),
            "version 2, which no entry records",
        ),
        (
            format!("UPDATE party SET origin = zeroblob(32) WHERE id = x'{id}'"),
            "import ",
        ),
        (format!("DELETE FROM party WHERE id = x'{id}'"), "import "),
        (
            "UPDATE import_chunk SET digest = zeroblob(32) WHERE n = 1".to_owned(),
            "import ",
        ),
        ("DELETE FROM import_chunk WHERE n = 2".to_owned(), "import "),
    ];
    for (sql, words) in cases {
        for table in ["party", "import_chunk"] {
            run(
                &world,
                &format!("CREATE TABLE spare_{table} AS SELECT * FROM {table}"),
            )
            .await;
        }
        world.sql(&sql).await;
        let report = check(&world).await;
        assert!(
            report.findings.iter().any(|f| f.to_string().contains(words)),
            "{sql}: {:?}",
            report.findings
        );
        for table in ["party", "import_chunk"] {
            run(&world, &format!("DELETE FROM {table}")).await;
            run(
                &world,
                &format!("INSERT INTO {table} SELECT * FROM spare_{table}"),
            )
            .await;
            run(&world, &format!("DROP TABLE spare_{table}")).await;
        }
    }
    let added = Party {
        import_id: Some(import),
        ..world.party()
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_parties(&[added]).await.unwrap();
    tx.commit().await.unwrap();
    let report = check(&world).await;
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.to_string().contains("51 rows of party")),
        "{:?}",
        report.findings
    );
}
