//! Actions that call and check HTTP endpoints.
