"""What mends something: the command that a person pastes, and what is safe to be done at once."""
