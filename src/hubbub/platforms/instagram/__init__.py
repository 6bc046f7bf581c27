"""Instagram, professional accounts."""
