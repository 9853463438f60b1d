"""Working with what is deployed."""
