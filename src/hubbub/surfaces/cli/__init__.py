"""The `hubbub` command: start it, look after it, and check that everything written down is true."""
