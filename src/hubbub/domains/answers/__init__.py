"""An answer that is kept: a request that arrives again under its `Idempotency-Key` gets the same bytes again.

A kept answer belongs to one caller, one address and one key, and is forgotten after 72 hours.
"""
