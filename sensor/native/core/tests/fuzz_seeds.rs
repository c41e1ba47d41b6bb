//! The fuzzer's targets over its seeds and over everything that it ever found, with every test run.
#![allow(dead_code, missing_docs, clippy::pedantic)] // its own crate: fuzz/src

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod vigla_fuzz;

fn inputs(kind: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz")
        .join(kind)
        .join(target);
    let mut found: Vec<_> = fs::read_dir(&folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    found.sort();
    found
        .into_iter()
        .map(|path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

fn seeds(target: &str) {
    let (_, run) = vigla_fuzz::TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let seeds = inputs("seeds", target);
    assert!(!seeds.is_empty(), "{target} has no seeds: run fuzz/seeds.py");
    for (name, data) in seeds.iter().chain(&inputs("findings", target)) {
        println!("{name}"); // shown when it fails
        run(data);
        // Cut short, and with a byte turned: the cheapest of what a fuzzer does.
        for part in 1..8 {
            run(&data[..data.len() * part / 8]);
            let mut turned = data.clone();
            if let Some(byte) = turned.get_mut(data.len() * part / 8) {
                *byte ^= 1 << part;
            }
            run(&turned);
        }
    }
}

macro_rules! targets {
    ($($target:ident)*) => {
        $(#[test] fn $target() { seeds(stringify!($target)); })*

        #[test]
        fn every_target_is_here_and_has_a_program() {
            let names: Vec<&str> = vigla_fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
            let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
            let mut files: Vec<String> = fs::read_dir(programs)
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            files.sort();
            assert_eq!(files, names);
        }
    };
}

targets! { capture events evtx frames logs pack patterns rules sources streams }
