from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a machine that is busy for a moment makes no property untrue
settings.load_profile("patient")
