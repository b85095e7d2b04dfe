"""Stores of records, metrics and alerts. `base` defines their interface; each kind of store has a folder."""
