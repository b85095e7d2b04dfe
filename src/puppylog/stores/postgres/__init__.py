"""PostgreSQL as a store: plain, with TimescaleDB, or spread over machines by Citus or TimescaleDB's data nodes."""
