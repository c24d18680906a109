"""Rule files: text, JSON lines, CSV and YAML, with errors that point at what is wrong."""
