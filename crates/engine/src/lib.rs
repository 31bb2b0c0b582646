//! Runs a plan: driver loop, store trait, clock, deadlines and retries.
