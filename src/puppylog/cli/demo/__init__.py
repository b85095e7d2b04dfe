"""A shop's web server that does not exist, and the story that is told with its log."""
