"""One login for many machines, kept by an engine that compares before it writes.

An engine reads, writes and waits: one file for each. The protocol is the same over all of them, and
knows no machine's clock.
"""
