"""Installation in a database: extensions, flavour, migrations, routines and roles."""
