"""Questions asked of a release while it serves: pass, fail or no data, each with its evidence.

`statistics` decides, `builtin` says what to ask of which service, `samples` counts in what Prometheus answers,
`prometheus` asks it through the API server.
"""
