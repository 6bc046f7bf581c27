"""What a platform is, and what it is given."""
