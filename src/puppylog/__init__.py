"""Puppylog: a tiny distributed log collector. Every complete line is stored exactly once."""

__version__ = "0.1.0"
