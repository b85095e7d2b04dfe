"""Records, streams, metrics and alerts: frozen values, and pure functions of them. No I/O."""
