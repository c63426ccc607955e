"""What a person is shown and asked, and how a person's commands are parsed.

Nothing that a client's question needs imports this: Click and rich are slow to import.
"""
