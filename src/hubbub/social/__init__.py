"""The nouns that every platform shares. No I/O."""
