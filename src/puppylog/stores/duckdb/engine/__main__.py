"""Starts the engine: ``python -m puppylog.stores.duckdb.engine DIRECTORY``."""

from puppylog.stores.without_numpy import forbid_numpy

forbid_numpy()

from puppylog.stores.duckdb.engine.server import main  # noqa: E402 - it imports Arrow, which would import numpy

if __name__ == "__main__":
    main()
