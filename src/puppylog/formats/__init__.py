"""Bytes of whole lines to columns and rejects. Pure: no files, no clock, no store. One file per family."""
