"""What Pants learns about this repository."""
