"""The history of the tables: one revision per change, run in order."""
