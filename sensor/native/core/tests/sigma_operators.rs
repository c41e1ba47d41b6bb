//! Every operator of docs/pack-format.md, and the traps in which engines differ (design: sigma.md, section 2).

mod packs;

use packs::holds;
use serde_json::{Value as Json, json};

#[allow(clippy::needless_pass_by_value)] // read as a table
fn check(predicate: Json, yes: &[Json], no: &[Json]) {
    for document in yes {
        assert!(holds(&predicate, document), "{predicate} must hold for {document}");
    }
    for document in no {
        assert!(!holds(&predicate, document), "{predicate} must not hold for {document}");
    }
}

#[test]
fn literals_are_folded_and_whole() {
    check(
        json!({"op": "eq", "field": 0, "value": "PowerShell"}),
        &[
            json!({"a": "powershell"}),
            json!({"a": "POWERSHELL"}),
            json!({"a": ["x", "PowerShell"]}),
        ],
        &[
            json!({"a": "powershell "}),
            json!({"A": "powershell"}),
            json!({"b": "powershell"}),
            json!({"a": null}),
        ],
    );
    check(
        json!({"op": "contains", "field": 0, "value": " -enc "}),
        &[json!({"a": "x -ENC y"}), json!({"a": "a\n -enc \nb"})],
        &[json!({"a": "x  -enc"}), json!({"a": ["x -enc", " y"]}), json!({})],
    );
    check(
        json!({"op": "startswith", "field": 0, "value": "C:\\"}),
        &[json!({"a": "c:\\windows"})],
        &[json!({"a": " c:\\windows"}), json!({"a": ""})],
    );
    check(
        json!({"op": "endswith", "field": 0, "value": ".exe"}),
        &[json!({"a": "A.EXE"}), json!({"a": ".exe"})],
        &[json!({"a": "a.exe "}), json!({"a": "exe"})],
    );
    check(
        json!({"op": "contains", "field": 0, "value": "Ab", "cased": true}),
        &[json!({"a": "xAbx"})],
        &[json!({"a": "xabx"}), json!({"a": "xABx"})],
    );
}

#[test]
fn present_empty_null_and_absent_are_different() {
    check(
        json!({"op": "empty", "field": 0}),
        &[json!({"a": ""}), json!({"a": ["x", ""]})],
        &[json!({}), json!({"a": null}), json!({"a": " "})],
    );
    check(
        json!({"op": "null", "field": 0}),
        &[json!({}), json!({"a": null})],
        &[json!({"a": ""}), json!({"a": 0}), json!({"a": false})],
    );
    check(
        json!({"op": "exists", "field": 0, "value": true}),
        &[json!({"a": null}), json!({"a": ""}), json!({"a": []})],
        &[json!({})],
    );
    check(
        json!({"op": "exists", "field": 0, "value": false}),
        &[json!({"b": 1})],
        &[json!({"a": null})],
    );
    check(
        json!({"op": "contains", "field": 0, "value": ""}),
        &[json!({"a": ""}), json!({"a": 7})],
        &[json!({}), json!({"a": null})],
    );
    check(
        json!({"op": "eq", "field": 0, "value": ""}),
        &[json!({"a": ""})],
        &[json!({}), json!({"a": null}), json!({"a": "x"})],
    );
}

#[test]
fn numbers_and_booleans_meet_their_texts() {
    check(
        json!({"op": "num", "field": 0, "value": "4624"}),
        &[
            json!({"a": 4624}),
            json!({"a": "4624"}),
            json!({"a": 4624.0}),
            json!({"a": [1, "4624"]}),
        ],
        &[
            json!({"a": "04624"}),
            json!({"a": 46240}),
            json!({"a": "4624 "}),
            json!({"a": true}),
        ],
    );
    check(
        json!({"op": "num", "field": 0, "value": "1.50"}),
        &[json!({"a": 1.5}), json!({"a": "1.50"})],
        &[json!({"a": "1.5"})],
    );
    check(
        json!({"op": "num", "field": 0, "value": "-1"}),
        &[json!({"a": -1})],
        &[json!({"a": 1})],
    );
    check(
        json!({"op": "eq", "field": 0, "value": "4624"}),
        &[json!({"a": 4624}), json!({"a": "4624"})],
        &[json!({"a": 4625})],
    );
    check(
        json!({"op": "eq", "field": 0, "value": "true"}),
        &[json!({"a": true}), json!({"a": "True"})],
        &[json!({"a": false}), json!({"a": 1})],
    );
    check(
        json!({"op": "bool", "field": 0, "value": true}),
        &[json!({"a": true}), json!({"a": "TRUE"})],
        &[json!({"a": false}), json!({"a": 1})],
    );
    check(
        json!({"op": "bool", "field": 0, "value": false}),
        &[json!({"a": false}), json!({"a": "False"})],
        &[json!({"a": null}), json!({})],
    );
}

#[test]
fn comparisons_want_a_whole_number() {
    check(
        json!({"op": "gte", "field": 0, "value": "10"}),
        &[
            json!({"a": 10}),
            json!({"a": "10.5"}),
            json!({"a": 1e3}),
            json!({"a": ["x", 11]}),
        ],
        &[
            json!({"a": 9}),
            json!({"a": "10 "}),
            json!({"a": "ten"}),
            json!({"a": true}),
            json!({"a": null}),
            json!({}),
        ],
    );
    check(
        json!({"op": "lt", "field": 0, "value": "0.5"}),
        &[json!({"a": -1}), json!({"a": "0.4"})],
        &[json!({"a": 0.5})],
    );
    check(
        json!({"op": "lte", "field": 0, "value": "5"}),
        &[json!({"a": 5})],
        &[json!({"a": 6})],
    );
    check(
        json!({"op": "gt", "field": 0, "value": "5"}),
        &[json!({"a": 5.01})],
        &[json!({"a": 5})],
    );
}

#[test]
fn wildcards_cover_the_whole_value() {
    let star = json!({"any": "*"});
    let one = json!({"any": "?"});
    check(
        json!({"op": "wildcard", "field": 0, "parts": [star, "\\PING", star, "1", one]}),
        &[json!({"a": "c:\\ping.exe -n 12"}), json!({"a": "\\ping\n1Σ"})],
        &[json!({"a": "c:\\ping -n 1"}), json!({"a": "ping 12"})],
    );
    check(
        json!({"op": "wildcard", "field": 0, "parts": ["A", star], "cased": true}),
        &[json!({"a": "Ab"})],
        &[json!({"a": "ab"})],
    );
}

#[test]
fn greek_folds_by_character_and_keeps_its_accents() {
    let contains = |text: &str| json!({"op": "contains", "field": 0, "value": text});
    check(
        contains("ΟΔΟΣ"),
        &[
            json!({"a": "οδος"}),
            json!({"a": "οδοστρωμα"}),
            json!({"a": "ΟΔΟΣΤΡΩΜΑ"}),
        ],
        &[json!({"a": "οδός"})],
    );
    check(contains("οδος"), &[json!({"a": "ΟΔΟΣ"}), json!({"a": "Οδοσ"})], &[]);
    check(contains("Ελλάδα"), &[json!({"a": "ΕΛΛΆΔΑ"})], &[json!({"a": "ΕΛΛΑΔΑ"})]);
    check(
        json!({"op": "re", "field": 0, "pattern": "^ΟΔΟΣ$", "flags": "i"}),
        &[json!({"a": "οδος"}), json!({"a": "οδοσ"})],
        &[json!({"a": "οδός"})],
    );
}

#[test]
fn regexes_search_the_original_text() {
    check(
        json!({"op": "re", "field": 0, "pattern": "A.c"}),
        &[json!({"a": "xAbcx"})],
        &[
            json!({"a": "xabcx"}),
            json!({"a": "A\nc"}),
            json!({}),
            json!({"a": null}),
        ],
    );
    check(
        json!({"op": "re", "field": 0, "pattern": "a.c", "flags": "is"}),
        &[json!({"a": "A\nC"})],
        &[],
    );
    check(
        json!({"op": "re", "field": 0, "pattern": "b$"}),
        &[json!({"a": "ab"})],
        &[json!({"a": "ab\n"}), json!({"a": "b\nc"})],
    );
    check(
        json!({"op": "re", "field": 0, "pattern": "^b", "flags": "m"}),
        &[json!({"a": "a\nb"})],
        &[json!({"a": "ab"})],
    );
    check(
        json!({"op": "re", "field": 0, "pattern": "^46\\d\\d$"}),
        &[json!({"a": 4624})],
        &[json!({"a": 5000})],
    );
}

#[test]
fn networks_take_any_spelling() {
    check(
        json!({"op": "cidr", "field": 0, "value": "2001:db8::/32"}),
        &[
            json!({"a": "2001:0DB8::1"}),
            json!({"a": ["x", "2001:db8:0:0:0:0:0:9%eth0"]}),
        ],
        &[json!({"a": "2001:db9::1"}), json!({"a": "2001"}), json!({})],
    );
    check(
        json!({"op": "cidr", "field": 0, "value": "192.0.2.0/24"}),
        &[json!({"a": "::ffff:192.0.2.7"})],
        &[json!({"a": "192.0.3.1"})],
    );
}

#[test]
fn fieldref_reads_two_fields() {
    check(
        json!({"op": "fieldref", "field": 0, "other": 1, "how": "eq"}),
        &[
            json!({"a": "X", "b": "x"}),
            json!({"a": 5, "b": "5"}),
            json!({"a": ["p", "q"], "b": ["r", "Q"]}),
        ],
        &[
            json!({"a": "x"}),
            json!({"b": "x"}),
            json!({}),
            json!({"a": null, "b": null}),
            json!({"a": "x", "b": "y"}),
        ],
    );
    check(
        json!({"op": "fieldref", "field": 0, "other": 1, "how": "endswith"}),
        &[json!({"a": "abc", "b": "BC"})],
        &[json!({"a": "bc", "b": "abc"})],
    );
    check(
        json!({"op": "fieldref", "field": 0, "other": 1, "how": "startswith", "cased": true}),
        &[json!({"a": "Abc", "b": "Ab"})],
        &[json!({"a": "abc", "b": "Ab"})],
    );
}

#[test]
fn lists_are_folded_sets() {
    check(
        json!({"op": "list", "field": 0, "list": "l", "how": "eq"}),
        &[json!({"a": "ΑΛΦΑ"}), json!({"a": ["x", "BETA"]})],
        &[json!({"a": "alpha"}), json!({"a": "betas"}), json!({})],
    );
    check(
        json!({"op": "list", "field": 0, "list": "l", "how": "endswith"}),
        &[json!({"a": "alphabeta"})],
        &[json!({"a": "betas"})],
    );
    check(
        json!({"op": "list", "field": 0, "list": "l", "how": "contains"}),
        &[json!({"a": "betas"})],
        &[json!({"a": "bet"})],
    );
}

#[test]
fn times_are_read_in_utc() {
    check(
        json!({"op": "time", "field": 0, "part": "hour", "cmp": "gte", "value": 22}),
        &[
            json!({"a": "2026-03-01T00:30:00+02:00"}),
            json!({"a": "2026-03-01T23:00:00Z"}),
        ],
        &[
            json!({"a": "2026-03-01T21:59:59Z"}),
            json!({"a": "22"}),
            json!({"a": 22}),
            json!({}),
        ],
    );
    check(
        json!({"op": "time", "field": 0, "part": "week", "cmp": "eq", "value": 53}),
        &[json!({"a": "2027-01-01"})],
        &[json!({"a": "2027-01-05"})],
    );
}

#[test]
fn keywords_read_every_value_and_no_name() {
    check(
        json!({"op": "contains", "field": null, "value": "Mimikatz"}),
        &[json!({"z": "x MIMIKATZ y"}), json!({"z": {"deep": ["a", "mimikatz"]}})],
        &[json!({"mimikatz": "x"}), json!({}), json!({"z": "mimi", "y": "katz"})],
    );
    check(
        json!({"op": "re", "field": null, "pattern": "k[a]tz"}),
        &[json!({"z": "katz"})],
        &[json!({"z": "KATZ"})],
    );
    check(
        json!({"op": "eq", "field": null, "value": "7"}),
        &[json!({"z": 7})],
        &[json!({"z": 77})],
    );
}
