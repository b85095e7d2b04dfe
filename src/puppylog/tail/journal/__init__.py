"""Reads systemd's journal by a ``journalctl`` of its own, from the cursor of the last entry that is stored."""
