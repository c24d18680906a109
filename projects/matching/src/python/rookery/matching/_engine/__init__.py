"""The engine: a rule set compiled, and at work on batches of posts."""
