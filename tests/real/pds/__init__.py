"""The reference PDS of the AT Protocol with a directory of identities, both on loopback."""
