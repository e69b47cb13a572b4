"""Our provider beside the official one: the same plans, and one stack handed from one to the other and back.

`python -m tests.parity record` asks the official plugin, where it is, and writes what it says to `recorded/` and
`cli/provider/fields.json`. Everywhere else our provider is held against the recording.
"""
