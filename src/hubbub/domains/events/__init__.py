"""An event is something that happened: written with the change itself, in the same transaction.

It is the outbox that webhooks will be sent from, the audit trail, and how domains hear upwards.
"""
