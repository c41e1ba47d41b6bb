//! Sigma correlations over the hits of all inputs, in event time, with bounded state.
