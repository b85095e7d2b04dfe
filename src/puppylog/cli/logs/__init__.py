"""The command ``puppylog logs``: what it reads, and the forms in which it writes records."""
