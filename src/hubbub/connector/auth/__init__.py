"""Ways of signing in that are data for most platforms."""
