"""The command line: one file per command family."""

import os

# numpy, which Arrow loads, brings a library for matrices that starts a thread per core and lets it spin for a while.
# Nothing here multiplies matrices, and neither does the engine, which is started with the same environment.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
