"""What a type checker makes of a user's script."""
