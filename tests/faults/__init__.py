"""A real worker is killed anywhere between the stored intent and the settled post; then the sandbox counts."""
