#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vigla_fuzz::rules::run(data));
