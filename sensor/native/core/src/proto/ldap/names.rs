//! Names of LDAP's numbers (RFC 4511), as Zeek has them.

/// Results of operations (RFC 4511, 4.1.9 and appendix A; RFC 2891, 4370, 4531).
const RESULTS: [(i64, &str); 44] = [
    (0, "success"),
    (1, "operations error"),
    (2, "protocol error"),
    (3, "time limit exceeded"),
    (4, "size limit exceeded"),
    (5, "compare false"),
    (6, "compare true"),
    (7, "auth method not supported"),
    (8, "stronger auth required"),
    (9, "partial results"),
    (10, "referral"),
    (11, "admin limit exceeded"),
    (12, "unavailable critical extension"),
    (13, "confidentiality required"),
    (14, "SASL bind in progress"),
    (16, "no such attribute"),
    (17, "undefined attribute type"),
    (18, "inappropriate matching"),
    (19, "constraint violation"),
    (20, "attribute or value exists"),
    (21, "invalid attribute syntax"),
    (32, "no such object"),
    (33, "alias problem"),
    (34, "invalid DNS syntax"),
    (35, "is leaf"),
    (36, "alias dereferencing problem"),
    (48, "inappropriate authentication"),
    (49, "invalid credentials"),
    (50, "insufficient access rights"),
    (51, "busy"),
    (52, "unavailable"),
    (53, "unwilling to perform"),
    (54, "loop detect"),
    (60, "sort control missing"),
    (61, "offset range error"),
    (64, "naming violation"),
    (65, "object class violation"),
    (66, "not allowed on non-leaf"),
    (67, "not allowed on RDN"),
    (68, "entry already exists"),
    (69, "object class mods prohibited"),
    (70, "results too large"),
    (71, "affects multiple DSAs"),
    (80, "other"),
];

pub(super) fn result(code: i64) -> &'static str {
    RESULTS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("unknown", |(_, name)| name)
}

/// How far a search reaches (RFC 4511, 4.5.1.2).
pub(super) fn scope(code: i64) -> &'static str {
    match code {
        0 => "base",
        1 => "single",
        2 => "tree",
        _ => "unknown",
    }
}

/// When aliases are followed (RFC 4511, 4.5.1.3).
pub(super) fn deref(code: i64) -> &'static str {
    match code {
        0 => "never",
        1 => "searching",
        2 => "finding",
        3 => "always",
        _ => "unknown",
    }
}

/// What an operation is called, by the tag of its request or its response.
pub(super) fn opcode(tag: u8) -> &'static str {
    match tag {
        0x60 | 0x61 => "bind",
        0x42 => "unbind",
        0x66 | 0x67 => "modify",
        0x68 | 0x69 => "add",
        0x4a | 0x6b => "delete",
        0x6c | 0x6d => "modify DN",
        0x6e | 0x6f => "compare",
        0x50 => "abandon",
        0x77 | 0x78 => "extended",
        0x79 => "intermediate",
        _ => "unknown",
    }
}

/// Extended operations by what they are called (RFC 4511, 3062, 4532, 3909, 5805; MS-ADTS, 3.1.1.3.4.2).
pub(super) fn extended(oid: &str) -> Option<&'static str> {
    Some(match oid {
        super::START_TLS => "StartTLS",
        "1.3.6.1.4.1.4203.1.11.1" => "PasswordModify",
        "1.3.6.1.4.1.4203.1.11.3" => "WhoAmI",
        "1.3.6.1.1.8" => "Cancel",
        "1.3.6.1.1.21.1" => "StartTransaction",
        "1.3.6.1.1.21.3" => "EndTransaction",
        "1.2.840.113556.1.4.1781" => "FastBind",
        "1.3.6.1.4.1.1466.101.119.1" => "DynamicRefresh",
        _ => return None,
    })
}
