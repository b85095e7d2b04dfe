"""The read interface: what the store has, over HTTP, as JSON, JSON lines, CSV or Arrow.

A resource (`puppylog.serve.read.resource`) declares its path, its parameters, its answer and its work. The routes and
the OpenAPI document are made from these declarations.
"""
