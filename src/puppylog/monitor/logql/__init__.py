"""Answers queries in LogQL, and the questions of Loki's clients about labels, from a store."""
