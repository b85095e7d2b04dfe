"""What people ask of a store: metrics, alerts, records."""
