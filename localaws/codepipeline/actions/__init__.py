"""What the actions do, one module a type."""
