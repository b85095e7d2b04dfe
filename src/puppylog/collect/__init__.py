"""Collects lines: from a tailer through a parser into a store, with back-pressure and retry.

The entry is `puppylog.collect.collector.Collector`.
"""
