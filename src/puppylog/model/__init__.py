"""What Puppylog talks about: records, streams, metrics, alerts. Frozen values and pure functions, no I/O."""
