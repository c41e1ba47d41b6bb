//! Classic BPF programs as `tcpdump -ddd` prints them: read and verified before the kernel sees them.

use std::fmt;

/// `BPF_MAXINSNS`.
const MOST: usize = 4096;
/// Words of scratch memory.
const WORDS: u32 = 16;

pub(super) const LD_IMM: u16 = 0x00;
pub(super) const LD_ABS_W: u16 = 0x20;
pub(super) const LD_ABS_H: u16 = 0x28;
pub(super) const LD_ABS_B: u16 = 0x30;
pub(super) const LD_IND_W: u16 = 0x40;
pub(super) const LD_IND_H: u16 = 0x48;
pub(super) const LD_IND_B: u16 = 0x50;
pub(super) const LDX_IMM: u16 = 0x01;
pub(super) const LDX_MEM: u16 = 0x61;
pub(super) const ST: u16 = 0x02;
pub(super) const STX: u16 = 0x03;
pub(super) const TAX: u16 = 0x07;
pub(super) const ADD_X: u16 = 0x0c;
pub(super) const AND_K: u16 = 0x54;
pub(super) const LSH_K: u16 = 0x64;
pub(super) const MUL_K: u16 = 0x24;
pub(super) const RSH_K: u16 = 0x74;
pub(super) const XOR_X: u16 = 0xac;
pub(super) const JA: u16 = 0x05;
pub(super) const JEQ: u16 = 0x15;
pub(super) const JSET: u16 = 0x45;
pub(super) const RET_K: u16 = 0x06;
pub(super) const RET_A: u16 = 0x16;

/// All codes that the kernel knows (`bpf_check_classic`): loads, stores, arithmetic, jumps, returns.
const KNOWN: [u16; 51] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c,
    0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15,
    0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87, 0x0e, 0x8c,
];

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// Instructions skipped where the condition holds.
    pub jt: u8,
    /// The same where it does not.
    pub jf: u8,
    /// Its number.
    pub k: u32,
}

impl Instruction {
    pub(super) const fn new(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }
}

/// A program over a packet: how many bytes of it are wanted, none for a packet that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

impl Program {
    /// One that wants nothing.
    pub(super) fn nothing() -> Self {
        Self(vec![Instruction::new(RET_K, 0)])
    }

    /// One that wants every packet, but only so many bytes of it.
    pub fn first(bytes: u32) -> Self {
        Self(vec![Instruction::new(RET_K, bytes)])
    }

    /// One of our own making.
    pub(super) fn of(instructions: Vec<Instruction>) -> Self {
        Self(instructions)
    }

    /// Its instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// The same, wanting at most so many bytes of a packet.
    #[must_use]
    pub fn cut(mut self, bytes: u32) -> Self {
        for instruction in &mut self.0 {
            if instruction.code == RET_K {
                instruction.k = instruction.k.min(bytes);
            }
        }
        self
    }

    /// Reads the numbers that `tcpdump -ddd` prints, on lines or in one: how many instructions, then four for each.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut numbers = Vec::new();
        for word in text.split_ascii_whitespace() {
            let Ok(number) = word.parse::<u32>() else {
                return Err(format!(
                    "'{word}' is no number: a filter is the program that `tcpdump -y EN10MB -ddd 'EXPRESSION'` prints, not the \
                     expression itself"
                ));
            };
            numbers.push(number);
        }
        let Some((count, rest)) = numbers.split_first() else {
            return Err(
                "is empty: leave it out, or write what `tcpdump -y EN10MB -ddd 'EXPRESSION'` prints".to_owned(),
            );
        };
        if rest.len() != *count as usize * 4 || rest.is_empty() {
            return Err(format!(
                "says {count} instructions and has {} numbers for them, not four for each: was it copied whole?",
                rest.len()
            ));
        }
        if *count as usize > MOST {
            return Err(format!("has {count} instructions; the kernel takes at most {MOST}"));
        }
        let mut program = Vec::with_capacity(*count as usize);
        for (index, four) in rest.chunks_exact(4).enumerate() {
            let small = |n: u32, what: &str| {
                u8::try_from(n).map_err(|_| format!("instruction {}: {what} {n} is above 255", index + 1))
            };
            let code = u16::try_from(four[0]).map_err(|_| format!("instruction {}: code {}", index + 1, four[0]))?;
            program.push(Instruction {
                code,
                jt: small(four[1], "jump")?,
                jf: small(four[2], "jump")?,
                k: four[3],
            });
        }
        verified(&program)?;
        Ok(Self(program))
    }
}

/// Known codes, forward jumps that stay inside, memory that exists, an end that returns.
fn verified(program: &[Instruction]) -> Result<(), String> {
    for (index, instruction) in program.iter().enumerate() {
        let wrong = |what: &str| Err(format!("instruction {}: {what}", index + 1));
        let left = program.len() - index - 1;
        let Instruction { code, jt, jf, k } = *instruction;
        if !KNOWN.contains(&code) {
            return wrong(&format!("{code} is no code of classic BPF"));
        }
        match code {
            JA if k as usize >= left => return wrong("it jumps out of the program"),
            0x15..=0x4d if code & 7 == 5 && usize::from(jt.max(jf)) >= left => {
                return wrong("it jumps out of the program");
            }
            0x60 | 0x61 | 0x02 | 0x03 if k >= WORDS => return wrong("there are 16 words of memory"),
            0x34 | 0x94 if k == 0 => return wrong("it divides by zero"),
            0x64 | 0x74 if k >= 32 => return wrong("it shifts by more than a word"),
            _ => {}
        }
    }
    match program.last() {
        Some(last) if last.code & 7 == 6 => Ok(()),
        _ => Err("its last instruction does not return".to_owned()),
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.len())?;
        for Instruction { code, jt, jf, k } in &self.0 {
            write!(f, "\n{code} {jt} {jf} {k}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tcpdump -y EN10MB -ddd 'udp port 53'`, IPv4 alone.
    const DNS: &str = "12\n40 0 0 12\n21 0 9 2048\n48 0 0 23\n21 0 7 17\n40 0 0 20\n69 5 0 8191\n177 0 0 14\n72 0 0 14\n\
                       21 1 0 53\n21 0 1 53\n6 0 0 262144\n6 0 0 0";

    #[test]
    fn a_program_of_tcpdump_is_read_and_printed_back() {
        let program = Program::parse(DNS).unwrap();
        assert_eq!(program.instructions().len(), 12);
        assert_eq!(program.to_string(), DNS);
        assert_eq!(Program::parse(&DNS.replace('\n', " ")).unwrap(), program);
        let cut = program.cut(96);
        assert_eq!((cut.instructions()[10].k, cut.instructions()[11].k), (96, 0));
    }

    #[test]
    fn what_is_no_program_is_said_with_what_to_do() {
        for (text, why) in [
            ("", "is empty"),
            ("udp port 53", "tcpdump -y EN10MB -ddd"),
            ("2\n6 0 0 0", "was it copied whole"),
            ("0", "was it copied whole"),
            ("1\n999 0 0 0", "no code"),
            ("1\n6 300 0 0", "above 255"),
            ("2\n21 7 0 1\n6 0 0 0", "jumps out"),
            ("2\n5 0 0 4294967295\n6 0 0 0", "jumps out"),
            ("2\n2 0 0 16\n6 0 0 0", "16 words"),
            ("2\n52 0 0 0\n6 0 0 0", "divides by zero"),
            ("1\n0 0 0 0", "does not return"),
        ] {
            let said = Program::parse(text).unwrap_err();
            assert!(said.contains(why), "{text:?}: {said}");
        }
    }
}
