"""Loki's read interface: what Grafana's data source and logcli ask. ``docs/loki.md`` lists what is answered."""
