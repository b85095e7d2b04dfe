"""Connections to the server: sessions, their renewal, and the translation of the driver's errors."""
