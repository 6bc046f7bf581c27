"""Usage is what a workspace has used of what its plan allows: posts, interactions, storage, and requests.

Plans are data (`plans.toml`). Posts and interactions are counted in periods of 30 days from the day the
workspace was made; what has no limit is counted too, so that it can be shown.
"""
