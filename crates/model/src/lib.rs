//! Runbook language, plan, records and run state: pure, without I/O, clock or randomness.
