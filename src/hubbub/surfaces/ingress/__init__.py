"""Ways in for others than our callers: people whom a platform sends back, and later the platforms themselves."""
