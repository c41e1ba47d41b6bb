//! Which worker gets a packet: by both IP addresses, mixed so that either order gives the same answer. Ports would part a
//! flow's fragments, and the kernel's own flow hash does; it also parts the directions of a tunnel.
//!
//! One VLAN tag (a second one: the kernel has taken the outer off), `PPPoE` or MPLS header is looked through; what is not IP
//! goes to the first worker, and so does DHCP over IPv4: one transaction is spoken between several pairs of addresses (nobody
//! and everybody, the server, a relay), and is one event. In fragments it goes with its pair: only the first has ports.

use super::Program;
use super::program::{self as op, Instruction};

/// Loads at negative places are the kernel's own: from the network header on, and what it knows beside the packet.
const NET: u32 = 0xfff0_0000;
const PROTOCOL: u32 = 0xffff_f000;
const UDP: u32 = 17;
/// More fragments, or a place that is not the start.
const FRAGMENT: u32 = 0x3fff;
/// The word of memory that holds where the network header is meanwhile.
const SAVED: u32 = 8;
/// An odd number without pattern: 2^32 divided by the golden ratio.
const MIX: u32 = 0x9e37_79b1;

/// A place that jumps lead to; resolved when the program is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Next,
    V4,
    Pair,
    V6,
    Inner,
    Ppp,
    Mpls,
    Mix,
    First,
}

enum Line {
    At(Label),
    Do(u16, u32),
    If(u16, u32, Label, Label),
    Go(Label),
}

/// The program.
pub(super) fn by_address_pair() -> Program {
    use Label::{First, Inner, Mix, Mpls, Next, Pair, Ppp, V4, V6};
    use Line::{At, Do, Go, If};
    let mut lines = vec![
        Do(op::LDX_IMM, 0),
        Do(op::LD_ABS_W, PROTOCOL),
        If(op::JEQ, 0x0800, V4, Next),
        If(op::JEQ, 0x86dd, V6, Next),
        If(op::JEQ, 0x8100, Inner, Next),
        If(op::JEQ, 0x88a8, Inner, Next),
        If(op::JEQ, 0x8864, Ppp, Next),
        If(op::JEQ, 0x8847, Mpls, First),
        At(Inner), // tag, then the type of what follows
        Do(op::LDX_IMM, 4),
        Do(op::LD_ABS_H, NET + 2),
        If(op::JEQ, 0x0800, V4, Next),
        If(op::JEQ, 0x86dd, V6, First),
        At(Ppp), // six bytes of PPPoE, two of PPP
        Do(op::LDX_IMM, 8),
        Do(op::LD_ABS_H, NET + 6),
        If(op::JEQ, 0x0021, V4, Next),
        If(op::JEQ, 0x0057, V6, First),
        At(Mpls), // the bottom label; the payload's first nibble is its version
        Do(op::LDX_IMM, 4),
        Do(op::LD_ABS_B, NET + 2),
        If(op::JSET, 1, Next, First),
        Do(op::LD_ABS_B, NET + 4),
        Do(op::RSH_K, 4),
        If(op::JEQ, 4, V4, Next),
        If(op::JEQ, 6, V6, First),
        At(V4), // UDP in one piece: its ports, behind a header of four times the low nibble
        Do(op::STX, SAVED),
        Do(op::LD_IND_B, NET + 9),
        If(op::JEQ, UDP, Next, Pair),
        Do(op::LD_IND_H, NET + 6),
        If(op::JSET, FRAGMENT, Pair, Next),
        Do(op::LD_IND_B, NET),
        Do(op::AND_K, 15),
        Do(op::LSH_K, 2),
        Do(op::ADD_X, 0),
        Do(op::TAX, 0),
        Do(op::LD_IND_H, NET),
        If(op::JEQ, 67, First, Next),
        If(op::JEQ, 68, First, Next),
        Do(op::LD_IND_H, NET + 2),
        If(op::JEQ, 67, First, Next),
        If(op::JEQ, 68, First, Pair),
        At(Pair),
        Do(op::LDX_MEM, SAVED),
        Do(op::LD_IND_W, NET + 12),
        Do(op::ST, 0),
        Do(op::LD_IND_W, NET + 16),
        Do(op::LDX_MEM, 0),
        Do(op::XOR_X, 0),
        Go(Mix),
        At(V6),
    ];
    for word in 0..8 {
        lines.extend([Do(op::LD_IND_W, NET + 8 + 4 * word), Do(op::ST, word)]);
    }
    lines.push(Do(op::LD_IMM, 0));
    for word in 0..8 {
        lines.extend([Do(op::LDX_MEM, word), Do(op::XOR_X, 0)]);
    }
    lines.extend([
        At(Mix),
        Do(op::MUL_K, MIX),
        Do(op::RSH_K, 16),
        Do(op::RET_A, 0),
        At(First),
        Do(op::RET_K, 0),
    ]);
    assembled(&lines)
}

fn assembled(lines: &[Line]) -> Program {
    let place = |wanted: Label| {
        let mut place = 0_u32;
        for line in lines {
            match line {
                Line::At(label) if *label == wanted => return place,
                Line::At(_) => {}
                _ => place += 1,
            }
        }
        place
    };
    let mut out: Vec<Instruction> = Vec::new();
    for line in lines {
        let next = out.len() as u32 + 1;
        let jump = |label: Label| if label == Label::Next { 0 } else { place(label) - next };
        out.push(match line {
            Line::At(_) => continue,
            Line::Do(code, k) => Instruction::new(*code, *k),
            Line::Go(label) => Instruction::new(op::JA, jump(*label)),
            Line::If(code, k, yes, no) => Instruction {
                code: *code,
                jt: jump(*yes) as u8,
                jf: jump(*no) as u8,
                k: *k,
            },
        });
    }
    Program::of(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_sound() {
        let program = by_address_pair();
        assert_eq!(Program::parse(&program.to_string()).as_ref(), Ok(&program));
    }

    /// What the kernel would answer for a packet of this type, given from its network header on.
    fn answer(protocol: u32, packet: &[u8]) -> u32 {
        let program = by_address_pair();
        let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
        loop {
            let Instruction { code, jt, jf, k } = program.instructions()[at];
            at += 1;
            let load = |from: u32, bytes: usize| {
                let from = from.wrapping_sub(NET) as usize;
                let read = packet.get(from..from + bytes)?;
                Some(read.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)))
            };
            let loaded = match code {
                op::LD_ABS_W if k == PROTOCOL => Some(protocol),
                op::LD_ABS_H => load(k, 2),
                op::LD_ABS_B => load(k, 1),
                op::LD_IND_W => load(k + x, 4),
                op::LD_IND_H => load(k + x, 2),
                op::LD_IND_B => load(k + x, 1),
                op::LD_IMM => Some(k),
                op::MUL_K => Some(a.wrapping_mul(k)),
                op::RSH_K => Some(a >> k),
                op::LSH_K => Some(a << k),
                op::AND_K => Some(a & k),
                op::ADD_X => Some(a + x),
                op::XOR_X => Some(a ^ x),
                op::RET_K => return k,
                op::RET_A => return a,
                _ => {
                    match code {
                        op::LDX_IMM => x = k,
                        op::LDX_MEM => x = memory[k as usize],
                        op::TAX => x = a,
                        op::ST => memory[k as usize] = a,
                        op::STX => memory[k as usize] = x,
                        op::JA => at += k as usize,
                        op::JEQ => at += usize::from(if a == k { jt } else { jf }),
                        op::JSET => at += usize::from(if a & k != 0 { jt } else { jf }),
                        _ => panic!("code {code} is not used"),
                    }
                    continue;
                }
            };
            // The kernel ends a program that reads beyond its packet.
            let Some(value) = loaded else { return 0 };
            a = value;
        }
    }

    /// UDP over IPv4 with so many words of options; `place` is flags and offset.
    fn datagram(ends: [[u8; 4]; 2], ports: [u16; 2], options: usize, place: u16) -> Vec<u8> {
        let mut packet = vec![0x45 + options as u8, 0, 0, 0, 0, 0];
        packet.extend(place.to_be_bytes());
        packet.extend([64, 17, 0, 0]);
        packet.extend(ends.concat());
        packet.resize(20 + 4 * options, 1);
        packet.extend(ports.map(u16::to_be_bytes).concat());
        packet.extend([0, 8, 0, 0]);
        packet
    }

    const HERE: [u8; 4] = [192, 0, 2, 10];
    const THERE: [u8; 4] = [198, 51, 100, 20];
    const IPV4: u32 = 0x0800;

    #[test]
    fn both_directions_of_a_pair_meet_whatever_their_ports() {
        let there = answer(IPV4, &datagram([HERE, THERE], [40_000, 53], 0, 0));
        assert_ne!(there, 0);
        assert_eq!(answer(IPV4, &datagram([THERE, HERE], [53, 40_000], 3, 0)), there);
        assert_eq!(answer(IPV4, &datagram([HERE, THERE], [123, 123], 0, 0x4000)), there);
    }

    #[test]
    fn dhcp_goes_to_the_first_worker_with_options_and_behind_a_tag() {
        for ports in [[68, 67], [67, 68], [67, 67], [40_000, 67], [68, 40_000]] {
            for options in [0, 10] {
                let packet = datagram([HERE, THERE], ports, options, 0x4000);
                assert_eq!(answer(IPV4, &packet), 0, "{ports:?} {options}");
                let tagged = [&[0, 42, 8, 0][..], &packet].concat();
                assert_eq!(answer(0x8100, &tagged), 0, "{ports:?} {options} tagged");
            }
        }
    }

    #[test]
    fn fragments_go_with_their_pair_first_and_later_ones() {
        let pair = answer(IPV4, &datagram([HERE, THERE], [40_000, 53], 0, 0));
        for place in [0x2000, 0x2010, 0x0020] {
            assert_eq!(answer(IPV4, &datagram([HERE, THERE], [68, 67], 0, place)), pair);
        }
    }

    #[test]
    fn tcp_on_these_ports_goes_with_its_pair() {
        let mut packet = datagram([HERE, THERE], [67, 68], 0, 0);
        let pair = answer(IPV4, &datagram([HERE, THERE], [40_000, 53], 0, 0));
        packet[9] = 6;
        assert_eq!(answer(IPV4, &packet), pair);
    }
}
