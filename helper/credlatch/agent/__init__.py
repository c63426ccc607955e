"""The warm process that answers for others, and its thin client."""
