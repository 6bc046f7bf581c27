"""What a stand-in for a platform is given: routes, a memory, a clock, a consent page, faults."""
