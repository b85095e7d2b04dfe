"""A store behind a server, over HTTP. `frames` and `protocol` are also what the server reads and writes."""
