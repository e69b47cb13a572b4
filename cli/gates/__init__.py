"""Questions asked of a release while it serves: pass, fail or no data, each with its evidence.

`watching` is the way in: it asks everything that an environment's settings want about one track and one span of time.
`builtin` says what to ask of which service, `counting` and `samples` count in what `prometheus` answers, `objectives`
and `resources` judge it by `judge` and `statistics`; `custom` and `commands` ask what a user added.
"""
