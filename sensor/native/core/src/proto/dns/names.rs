//! Names of DNS numbers, as Zeek prints them.

use std::borrow::Cow;

/// Record types (IANA, DNS parameters), ascending.
const TYPES: [(u16, &str); 78] = [
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (41, "EDNS"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (100, "DINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (108, "EUI48"),
    (109, "EUI64"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "*"),
    (256, "URI"),
    (257, "CAA"),
    (65534, "BINDS"),
];

const RCODES: [&str; 24] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSet",
    "NOTAUTH",
    "NOTZONE",
    "unassigned-11",
    "unassigned-12",
    "unassigned-13",
    "unassigned-14",
    "unassigned-15",
    "BADVERS",
    "BADKEY",
    "BADTIME",
    "BADMODE",
    "BADNAME",
    "BADALG",
    "BADTRUNC",
    "BADCOOKIE",
];

/// A record type's name.
pub(super) fn record_type(number: u16) -> Cow<'static, str> {
    match TYPES.binary_search_by_key(&number, |(number, _)| *number) {
        Ok(index) => Cow::Borrowed(TYPES[index].1),
        Err(_) => Cow::Owned(format!("query-{number}")),
    }
}

/// Whether a record type is in use at all.
pub(super) fn is_known_type(number: u16) -> bool {
    TYPES.binary_search_by_key(&number, |(number, _)| *number).is_ok()
}

/// A class's name.
pub(super) fn class(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "C_INTERNET",
        2 => "C_CSNET",
        3 => "C_CHAOS",
        4 => "C_HESOD",
        254 => "C_NONE",
        255 => "C_ANY",
        _ => return Cow::Owned(format!("qclass-{number}")),
    })
}

/// A response code's name.
pub(super) fn rcode(number: u16) -> &'static str {
    RCODES.get(usize::from(number)).copied().unwrap_or("unassigned")
}

/// An operation's name; `NetBIOS` has its own.
pub(super) fn opcode(number: u8, netbios: bool) -> Cow<'static, str> {
    Cow::Borrowed(match (number, netbios) {
        (0, false) => "query",
        (1, false) => "iquery",
        (2, false) => "server-status",
        (4, false) => "notify",
        (5, false) => "dynamic-update",
        (6, false) => "dso",
        (0, true) => "netbios-query",
        (5, true) => "netbios-registration",
        (6, true) => "netbios-release",
        (7, true) => "netbios-wack",
        (8, true) => "netbios-refresh",
        _ => return Cow::Owned(format!("opcode-{number}")),
    })
}
