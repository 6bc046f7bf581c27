"""A workspace is one customer of this installation: everything belongs to one, and none sees another.

It has one user, its owner, and brands, which group connected accounts.
"""
