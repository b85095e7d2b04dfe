"""A store behind a server: the whole interface of a store over HTTP."""
