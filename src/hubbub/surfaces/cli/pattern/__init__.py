"""Finch, an invented platform: the folder that `hubbub new platform` copies, with another name in it."""
