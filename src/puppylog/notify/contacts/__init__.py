"""The contacts, one file each: a frozen dataclass, whose fields are the keys of its table in the file of a user."""
