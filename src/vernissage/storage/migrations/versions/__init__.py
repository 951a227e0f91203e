"""The migrations. One that was released never changes: what is wrong with it is mended by a later one."""
