"""The receiver of Loki's push API: JSON and protobuf become records. Pure."""
