"""What people ask of a store: metrics, alerts, records, rejected lines, collectors' states, the doctor's findings."""
