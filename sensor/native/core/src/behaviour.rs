//! Behaviour events (scan, beacon, ...): numbers over time that rules can compare. Filled by the traffic issue.
