"""What the doctor finds in a database and its server."""
