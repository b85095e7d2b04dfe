"""The demo: the web server of a shop that does not exist, and a sequence of events that its log shows."""
