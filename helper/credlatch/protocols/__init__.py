"""One file for each protocol: bytes in, bytes out, and no I/O."""
