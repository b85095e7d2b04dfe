"""What a line costs each part of a store of several machines, and what follows for its size."""
