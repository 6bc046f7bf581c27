"""A person signs in with an e-mail address and a password, and gets a token that the dashboard sends.

A company's own sign-in service may issue such tokens instead. Either way a token names an identity; which
user an identity is, is settled once, by provisioning.
"""
