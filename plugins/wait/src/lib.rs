//! Actions that wait for a duration or a moment.
