"""A post is what somebody wants to say; a target is one account it goes to, with a status of its own.

Posts own the schedule (`targets.due_at`) and the path that publishes each target once (`publish.py`).
"""
