"""The way of a line: tail, format, store, with back-pressure and retry."""
