"""The language of rules: from text to a tree, and to the form that is evaluated."""
