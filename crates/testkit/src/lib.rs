//! Fake actions, in-memory and crash-stop stores, simulated clock, conformance suites.
