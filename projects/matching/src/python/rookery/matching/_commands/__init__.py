"""The command line: what it reads, does, shows and writes."""
