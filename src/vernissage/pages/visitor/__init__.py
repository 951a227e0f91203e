"""Pages for visitors, from plain values: the same on a server and as files."""
