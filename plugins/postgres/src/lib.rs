//! Actions that observe, fence, promote and query PostgreSQL.
