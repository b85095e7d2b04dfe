"""Groups, metrics and alerts: rows, and what the server makes of them."""
