"""Media is the library: pictures, films and sounds that a workspace uploaded, probed when they arrived.

A file is pending until its content is here and has been looked at, then ready for posts; or failed. Its
content lives among the blobs, and every object there is named in a row here before it is written.
"""
