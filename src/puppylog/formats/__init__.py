"""Formats turn whole lines into columns of records and rejected lines. They use no files, no clock and no store.

There is one module or package for each family of formats.
"""
