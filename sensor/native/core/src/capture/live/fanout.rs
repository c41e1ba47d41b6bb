//! Which worker gets a packet: by both IP addresses, mixed so that either order gives the same answer. Ports would part a
//! flow's fragments, and the kernel's own flow hash does; it also parts the directions of a tunnel.
//!
//! One VLAN tag (a second one: the kernel has taken the outer off), `PPPoE` or MPLS header is looked through; what is not IP
//! goes to the first worker.

use super::Program;
use super::program::{self as op, Instruction};

/// Loads at negative places are the kernel's own: from the network header on, and what it knows beside the packet.
const NET: u32 = 0xfff0_0000;
const PROTOCOL: u32 = 0xffff_f000;
/// An odd number without pattern: 2^32 divided by the golden ratio.
const MIX: u32 = 0x9e37_79b1;

/// A place that jumps lead to; resolved when the program is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Next,
    V4,
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
    use Label::{First, Inner, Mix, Mpls, Next, Ppp, V4, V6};
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
        At(V4),
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
}
