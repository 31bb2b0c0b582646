//! Actions that run commands under a supervisor which outlives the driver.
