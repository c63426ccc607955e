"""One file for each way of renewing: what is posted and what comes back, without I/O.

``post.py`` describes the request; ``exchange.py`` is the only one that sends anything.
"""
