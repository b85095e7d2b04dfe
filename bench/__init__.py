"""Measures speed, size, latency and idle cost through the real commands, as ratios where the machine matters."""
