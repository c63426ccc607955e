"""What sends, locks, writes back and remembers, whichever way of authenticating it is for.

``exchange.py`` runs a flow of ``auth/``; ``http.py`` is the only one that sends anything.
"""
