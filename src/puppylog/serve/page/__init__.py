"""The page: what a browser shows of the store. Its files are under ``static`` and need no build."""
