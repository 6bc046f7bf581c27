"""An account is one profile on one platform, connected by somebody who signed in there.

It belongs to a workspace and to one brand in it, lives in one of two worlds (live or sandbox), and has
pages where its platform publishes through pages. Its credentials are the vault's: encrypted, renewed once
however many wait, never shown.
"""
