"""The cost of a line in each part of a store on several machines, and the size that such a store needs."""
