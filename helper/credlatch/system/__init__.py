"""Where the operating system begins: files, locks, keyrings. Nothing here knows a protocol."""
