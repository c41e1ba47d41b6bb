//! Ports that a server is likely to have: they tell who is who where a connection's start was not seen.

use crate::event::Transport;

/// TCP ports, ascending.
const TCP: [u16; 62] = [
    21, 22, 25, 53, 79, 80, 81, 88, 102, 110, 111, 113, 119, 123, 135, 139, 143, 161, 162, 389, 443, 445, 465, 502,
    514, 563, 585, 587, 614, 631, 636, 989, 990, 992, 993, 995, 1080, 1433, 1434, 1521, 1812, 1883, 2123, 2152, 2404,
    2811, 3128, 3268, 3306, 3389, 3544, 5060, 5072, 5223, 5432, 5900, 6379, 6666, 8000, 8080, 8888, 20000,
];

/// UDP ports, ascending.
const UDP: [u16; 25] = [
    53, 67, 69, 88, 111, 123, 137, 138, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3544, 4011, 4789, 5060, 5072, 5353,
    5355, 6081, 20000,
];

/// Whether a server is likely to have this port.
pub(crate) fn is_likely_server(transport: Transport, port: u16) -> bool {
    match transport {
        Transport::Tcp => TCP.binary_search(&port).is_ok(),
        Transport::Udp => UDP.binary_search(&port).is_ok(),
        _ => false,
    }
}
