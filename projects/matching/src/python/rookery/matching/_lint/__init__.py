"""What is doubtful about rules that can be read."""
