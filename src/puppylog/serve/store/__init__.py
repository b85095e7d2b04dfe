"""The server's side of a remote store: its calls, and the sessions that hold the claims of clients."""
