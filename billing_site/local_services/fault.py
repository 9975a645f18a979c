class LocalServicesFault(Exception):
    """The embedded PostgreSQL or Redis cannot run here; the message says why and what helps."""
