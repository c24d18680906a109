"""What rules would have matched."""
