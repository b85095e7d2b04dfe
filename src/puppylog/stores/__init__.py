"""Where records, metrics and alerts live. `base` says what a store must do; each flavour has a folder."""
