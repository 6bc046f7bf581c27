"""What the connectors of one vendor's products share: Facebook Login's tokens, proofs, lists and answers."""
