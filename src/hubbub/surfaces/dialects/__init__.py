"""Other ways of saying the same: each folder is an envelope and a table of what its codes are called there."""
