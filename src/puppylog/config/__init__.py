"""The configuration file: what it may hold, how it is read and checked, and its JSON Schema."""
