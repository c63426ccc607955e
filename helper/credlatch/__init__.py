"""credlatch: one credential helper for every build tool, over the logins people already have."""

__version__ = "0.1.0"
