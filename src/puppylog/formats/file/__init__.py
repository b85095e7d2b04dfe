"""Formats that are written as TOML files: regular expressions, types of fields, notations of severities, samples.

``document`` declares the keys of a file, ``reading`` finds faults, ``definition`` compiles a file. ``heads`` divides
the lines into records, ``matching`` tries the patterns, ``fields`` and the readers of types fill the columns. All of
them work on Arrow arrays with one value for each record, so that no Python code runs for each line.
"""
