"""Where the two providers differ on purpose: by pair, the reason (see also the table in `cli.provider`)."""

PLANS: dict[str, str] = {}
STATES: dict[str, str] = {}
REFUSALS: dict[str, str] = {}
