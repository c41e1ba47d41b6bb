use std::net::{IpAddr, Ipv4Addr};

use super::link::{LinkInfo, LinkType, strip};
use super::*;

/// IPv4, UDP 1000 to 53, four bytes of data.
const PACKET: [u8; 32] = [
    0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x8e, 0xa7, 192, 0, 2, 1, 198, 51, 100, 2, // addresses
    0x03, 0xe8, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4,
];

fn stripped(link: u32, head: &[u8]) -> (Result<Vec<u8>, Stop>, LinkInfo) {
    let frame = [head, &PACKET].concat();
    let mut info = LinkInfo::default();
    let found = strip(LinkType(link), &frame, &mut info).map(<[u8]>::to_vec);
    (found, info)
}

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

#[test]
fn link_layers_lead_to_ip() {
    let ethernet = |rest: &[u8]| [&MACS[..], rest].concat();
    let cases: [(u32, Vec<u8>); 16] = [
        (1, ethernet(&[8, 0])),
        (1, ethernet(&[0x81, 0, 0, 5, 8, 0])),
        (1, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0])),
        (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 34, 0, 0x21])), // PPPoE
        (1, ethernet(&[0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64])), // MPLS, two labels
        (1, ethernet(&[0x89, 0x26, 0, 0, 0, 0, 8, 0])),              // VN-Tag
        (1, ethernet(&[0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0])),       // LLC, SNAP
        (0, vec![2, 0, 0, 0]),
        (0, vec![0, 0, 0, 2]),
        (9, vec![0xff, 3, 0, 0x21]),
        (9, vec![0x21]),
        (12, vec![]),
        (101, vec![]),
        (104, vec![0x0f, 0, 8, 0]),
        (113, [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &[8, 0]].concat()),
        (276, [&[8, 0][..], &[0; 18]].concat()),
    ];
    for (link, head) in cases {
        assert_eq!(
            stripped(link, &head).0.as_deref(),
            Ok(&PACKET[..]),
            "link type {link}, {head:x?}"
        );
        // Cut anywhere, the header is too short and nothing else.
        for cut in 0..head.len() {
            let mut info = LinkInfo::default();
            assert!(strip(LinkType(link), &head[..cut], &mut info).is_err() || cut == head.len());
        }
    }
    let tagged = ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]);
    assert_eq!(stripped(1, &tagged).1.vlans, [Some(5), Some(6)]);
    assert_eq!(stripped(1, &ethernet(&[8, 6])).0, Err(Stop::NotIp));
    let endless: Vec<u8> = [0x81, 0, 0, 1].repeat(20);
    assert_eq!(stripped(1, &ethernet(&endless)).0, Err(Stop::TooDeep));
}

#[test]
fn padding_is_cut_and_headers_are_checked() {
    let padded = [&PACKET[..], &[0; 14]].concat();
    let packet = ip::parse(&padded).expect("IPv4");
    assert_eq!(
        (packet.payload.len(), packet.payload_len, packet.total_len),
        (12, 12, 32)
    );
    assert_eq!(packet.src, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    let datagram = transport::udp(packet.payload, packet.payload_len).expect("UDP");
    assert_eq!(
        (datagram.src_port, datagram.dst_port, datagram.data),
        (1000, 53, &[1, 2, 3, 4][..])
    );
    for cut in 0..20 {
        assert!(ip::parse(&PACKET[..cut]).is_err());
    }
    let mut short = PACKET;
    short[0] = 0x44;
    assert_eq!(ip::parse(&short).map(|_| ()), Err(Stop::Malformed));
}

#[test]
fn ipv6_extension_headers_are_followed() {
    let mut packet = vec![0x60, 0, 0, 0, 0, 28, 0, 64];
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend([60, 0, 1, 4, 0, 0, 0, 0]); // hop by hop, padded
    packet.extend([17, 0, 1, 4, 0, 0, 0, 0]); // destination options
    packet.extend(&PACKET[20..]);
    let parsed = ip::parse(&packet).expect("IPv6");
    assert_eq!(
        (parsed.protocol, parsed.payload, parsed.payload_len),
        (17, &PACKET[20..], 12)
    );
    let mut fragment = packet.clone();
    fragment[40] = 44;
    fragment[48..56].copy_from_slice(&[17, 0, 0, 0x19, 0, 0, 0, 9]);
    let piece = ip::parse(&fragment).expect("IPv6").piece;
    assert_eq!(
        piece,
        Some(ip::Piece {
            id: 9,
            offset: 24,
            more: true
        })
    );
}

#[test]
fn checksums_are_verified_over_odd_lengths_too() {
    assert_eq!(checksum::of(&[0x12, 0x34, 0x56]), !(0x1234 + 0x5600));
    let (src, dst) = (
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)),
    );
    let mut segment = PACKET[20..].to_vec();
    segment.push(5);
    let pseudo = [&[192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0, 13][..], &segment].concat();
    let sum = checksum::of(&pseudo);
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    assert!(checksum::transport_ok(src, dst, 17, &segment));
    segment[12] ^= 1;
    assert!(!checksum::transport_ok(src, dst, 17, &segment));
}

#[test]
fn icmp_questions_and_answers_meet() {
    let echo = transport::icmp(&[8, 0, 0, 0, 0, 0, 0, 0], false).expect("ICMP");
    let reply = transport::icmp(&[0, 0, 0, 0, 0, 0, 0, 0], false).expect("ICMP");
    assert_eq!((echo.kind, echo.counterpart), (reply.counterpart, reply.kind));
    assert!(transport::icmp(&[3, 1, 0, 0, 0, 0, 0, 0], false).expect("ICMP").one_way);
}
