"""PostgreSQL as a store: plain, with TimescaleDB, or distributed by Citus or by TimescaleDB's data nodes."""
