"""Writers of rows for programs: JSON, JSON lines, CSV, Parquet and Arrow. Tables for people are in `cli.output`."""
