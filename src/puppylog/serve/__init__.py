"""The server: a store over HTTP for remote collectors and monitors, and the protocols that other senders speak."""
