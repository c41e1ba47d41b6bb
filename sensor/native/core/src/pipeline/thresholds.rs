//! Which values of behaviour events loaded rules compare with: a behaviour event leaves at each of them.

use crate::sigma::Program;

/// Values at which a comparison of `field` in any rule of the pack changes its answer.
pub fn of(program: &Program, field: &str) -> Vec<u64> {
    let mut values = Vec::new();
    let Some(index) = program.fields.iter().position(|name| name == field) else {
        return values;
    };
    for predicate in &program.predicates {
        if predicate.field != Some(index as u32) {
            continue;
        }
        let next = match predicate.op {
            "gte" | "lt" | "num" => 0,
            "gt" | "lte" => 1,
            _ => continue,
        };
        let shown = predicate.test.shown(&program.fields, &program.lists);
        let number = shown.as_f64().or_else(|| shown.as_str()?.parse().ok());
        // A threshold with decimals is passed at the next whole number.
        let whole = number.map(f64::ceil).filter(|number| (0.0..1e15).contains(number));
        if let Some(whole) = whole.and_then(|whole| format!("{whole:.0}").parse::<u64>().ok()) {
            values.push(
                whole
                    + if number.is_some_and(|number| number.fract() == 0.0) {
                        next
                    } else {
                        0
                    },
            );
        }
    }
    values
}
