"""The live tail: new records as server-sent events."""
