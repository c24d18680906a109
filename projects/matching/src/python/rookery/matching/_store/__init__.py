"""The rules in force, on the bus: snapshots, changes, and the audit trail."""
