"""Decodes what other programs send: bytes of a request or a datagram become records and rejected lines. Pure."""
