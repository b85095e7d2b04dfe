"""How fast, how large, how late and how idle: measured through the real commands, as ratios where a machine matters."""
