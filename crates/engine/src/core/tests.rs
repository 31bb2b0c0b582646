//! The core without a runtime: inputs in, records and acts out.
