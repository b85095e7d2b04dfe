"""Connections to the server: sessions, their replacement when lost, and the translation of the driver's errors."""
