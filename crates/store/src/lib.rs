//! The run directory: write-ahead journal, sled checkpoints, lock, verification.
