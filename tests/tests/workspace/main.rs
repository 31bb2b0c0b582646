//! What holds of the workspace as a whole.

mod layers;
mod readme;
mod runbooks;
