//! The one way through the core: inputs to events to hits to alerts.
