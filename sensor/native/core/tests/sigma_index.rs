//! The index is sound: it gives exactly what the full scan gives, on rules and events drawn to collide.

mod packs;

use packs::{event, matching, pack, settings};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vigla_core::event::LogSource;
use vigla_core::jsonl::Reader;
use vigla_core::sigma::Engine;

const FIELDS: [&str; 4] = ["a", "b", "c", "EventID"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "a",
            "ab",
            "abc",
            "ABC",
            "abcd",
            "xabcx",
            "4624",
            "46",
            "4624.0",
            "true",
            "ΟΔΟΣ",
            "οδος",
            "οδοσ",
            "οδός",
            "powershell.exe",
            "C:\\powershell.exe",
            "10.0.0.1",
            "10.9.8.7",
            "::ffff:10.0.0.1",
            "2001:DB8::1",
            "192.0.2.7",
            "a\nabc",
            "\u{212a}elvin",
            "kelvin",
        ])
        .prop_map(str::to_owned),
        "[abcσς]{0,5}",
        // Long enough for strides, and alike enough to collide.
        "[ab]{6,14}",
    ]
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        6 => text().prop_map(Json::from),
        1 => prop::sample::select(vec![json!(4624), json!(46), json!(4624.0), json!(1.5), json!(true), json!(false), json!(null)]),
    ]
}

fn document() -> impl Strategy<Value = Json> {
    let value = prop_oneof![
        5 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Json::from),
    ];
    prop::collection::vec(
        (prop::sample::select(vec!["a", "b", "c", "EventID", "other"]), value),
        0..5,
    )
    .prop_map(|fields| {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<serde_json::Map<_, _>>()
            .into()
    })
}

fn predicate() -> impl Strategy<Value = Json> {
    let field = 0..FIELDS.len();
    let literal = (
        prop::sample::select(vec!["eq", "contains", "startswith", "endswith"]),
        field.clone(),
        text(),
        any::<bool>(),
    )
        .prop_map(|(op, field, value, cased)| json!({"op": op, "field": field, "value": value, "cased": cased}));
    let keyword = (prop::sample::select(vec!["eq", "contains"]), text())
        .prop_map(|(op, value)| json!({"op": op, "field": null, "value": value}));
    let part = prop_oneof![
        text().prop_map(Json::from),
        Just(json!({"any": "*"})),
        Just(json!({"any": "?"}))
    ];
    let wildcard = (field.clone(), prop::collection::vec(part, 0..4), any::<bool>())
        .prop_map(|(field, parts, cased)| json!({"op": "wildcard", "field": field, "parts": parts, "cased": cased}));
    let number = (
        prop::sample::select(vec!["num", "lt", "gte"]),
        field.clone(),
        prop::sample::select(vec!["4624", "46", "1.5", "4624.0"]),
    )
        .prop_map(|(op, field, value)| json!({"op": op, "field": field, "value": value}));
    let regex = (
        field.clone(),
        prop::sample::select(vec![
            "abc",
            "(abc|abcd)x",
            "a?bcd?",
            "^οδ.ς?$",
            "kelvin",
            "(ab)+c",
            "4624|true",
            "[xX]abc",
            "a.c",
            "(?i)ABC\\b",
        ]),
        prop::sample::select(vec!["", "i", "s"]),
    )
        .prop_map(|(field, pattern, flags)| json!({"op": "re", "field": field, "pattern": pattern, "flags": flags}));
    let network = (
        field.clone(),
        prop::sample::select(vec![
            "10.0.0.0/8",
            "10.9.0.0/16",
            "10.0.0.1/32",
            "0.0.0.0/0",
            "2001:db8::/32",
            "::/0",
        ]),
    )
        .prop_map(|(field, value)| json!({"op": "cidr", "field": field, "value": value}));
    let other = (field.clone(), field, 0..6_u8).prop_map(|(field, other, which)| match which {
        0 => json!({"op": "null", "field": field}),
        1 => json!({"op": "empty", "field": field}),
        2 => json!({"op": "exists", "field": field, "value": other % 2 == 0}),
        3 => json!({"op": "bool", "field": field, "value": other % 2 == 0}),
        4 => json!({"op": "fieldref", "field": field, "other": other, "how": "contains"}),
        _ => json!({"op": "list", "field": field, "list": "l", "how": "eq"}),
    });
    prop_oneof![5 => literal, 1 => keyword, 2 => wildcard, 1 => number, 2 => regex, 1 => network, 1 => other]
}

/// Nodes over `predicates`: first one each, then conditions over what stands before.
fn nodes(predicates: usize) -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec((0..4_u8, any::<u16>(), any::<u16>(), any::<u16>()), 1..10).prop_map(move |made| {
        let mut nodes: Vec<Json> = (0..predicates).map(|p| json!({"p": p})).collect();
        for (which, a, b, c) in made {
            let of = |n: u16| usize::from(n) % nodes.len();
            let node = match which {
                0 => json!({"and": [of(a), of(b), of(c)]}),
                1 => json!({"or": [of(a), of(b)]}),
                2 => json!({"not": of(a)}),
                _ => json!({"and": [of(a), of(b)]}),
            };
            nodes.push(node);
        }
        nodes
    })
}

fn rules() -> impl Strategy<Value = Json> {
    prop::collection::vec(predicate(), 1..12).prop_flat_map(|predicates| {
        nodes(predicates.len()).prop_flat_map(move |nodes| {
            let predicates = predicates.clone();
            prop::collection::vec((any::<u16>(), prop::option::of(any::<u16>())), 1..10).prop_map(move |picked| {
                let of = |n: u16| usize::from(n) % nodes.len();
                let rules: Vec<Json> = picked
                    .iter()
                    .enumerate()
                    .map(|(index, (condition, gate))| {
                        let mut rule = packs::rule(&format!("r{index}"), of(*condition));
                        rule["gates"] = gate.map(of).into_iter().collect::<Vec<_>>().into();
                        rule
                    })
                    .collect();
                json!({"fields": FIELDS, "predicates": predicates, "nodes": nodes, "rules": rules})
            })
        })
    })
}

/// A line as a hostile writer may make it: names twice, objects and lists in each other, in the Windows shape or not.
fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "EventID",
        "other",
        "#text",
        "#attributes",
        "a b",
        "\u{3c3}",
    ]);
    let leaf = scalar().prop_map(|value| value.to_string());
    let value = leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec((name.clone(), inner.clone()), 0..4).prop_map(|members| object(&members)),
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    });
    let members = |names: Vec<&'static str>| prop::collection::vec((prop::sample::select(names), value.clone()), 0..5);
    let fields = vec!["a", "b", "c", "EventID", "other", "a b", "TimeCreated", "Provider"];
    let windows = (members(fields.clone()), members(fields.clone())).prop_map(|(header, body)| {
        let event = [("System", object(&header)), ("EventData", object(&body))];
        object(&[("Event", object(&event))])
    });
    prop_oneof![members(fields).prop_map(|members| object(&members)), windows]
}

fn object<N: AsRef<str>>(members: &[(N, String)]) -> String {
    let member = |(name, value): &(N, String)| format!("{}:{value}", Json::from(name.as_ref()));
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn indexed_equals_full_scan(rules in rules(), documents in prop::collection::vec(document(), 1..12)) {
        let mut settings = settings();
        settings.lists.insert("l".into(), vec!["abc".into(), "ΟΔΟΣ".into()]);
        let mut engine = Engine::new(pack(&rules, &["l"]), settings.clone());
        for document in &documents {
            matching(&mut engine, &settings, &event(document)); // asserts it
        }
    }

    #[test]
    fn a_line_read_lazily_is_the_line_read_whole(rules in rules(), lines in prop::collection::vec(line(), 1..12)) {
        let source = LogSource { product: Some("test".into()), ..LogSource::default() };
        let mut engine = Engine::new(pack(&rules, &["l"]), settings());
        let mut lazy = Reader::lazy(source.clone(), engine.wanted());
        let mut whole = Reader::new(source);
        for line in &lines {
            let (lazily, wholly) = (lazy.event(line.as_bytes()).unwrap(), whole.event(line.as_bytes()).unwrap());
            prop_assert_eq!(lazily.ts, wholly.ts);
            prop_assert_eq!(
                matching(&mut engine, &settings(), &lazily),
                matching(&mut engine, &settings(), &wholly),
                "{}", line
            );
            let (mut one, mut other) = (Vec::new(), Vec::new());
            vigla_core::json::event(&mut one, &lazily);
            vigla_core::json::event(&mut other, &wholly);
            prop_assert_eq!(String::from_utf8(one).unwrap(), String::from_utf8(other).unwrap());
            for name in FIELDS.into_iter().chain(["other", "σ"]) {
                prop_assert_eq!(lazily.get(name), wholly.get(name), "{} of {}", name, line);
            }
            lazy.recycle(lazily);
        }
    }

    #[test]
    fn the_order_of_fields_changes_nothing(rules in rules(), document in document()) {
        let mut engine = Engine::new(pack(&rules, &["l"]), settings());
        let forward = matching(&mut engine, &settings(), &event(&document));
        let fields: Vec<(String, Json)> = document.as_object().unwrap().clone().into_iter().rev().collect();
        let backward: serde_json::Map<_, _> = fields.into_iter().collect();
        prop_assert_eq!(forward, matching(&mut engine, &settings(), &event(&backward.into())));
    }
}
