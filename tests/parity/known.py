"""Where the two providers differ on purpose: by pair, the reason (see also the table in `cli.provider`)."""

PLANS: dict[str, str] = {}
STATES = {
    "selector-moved": "what is ignored stays in `__inputs` as it was asked for; the official one notes what it sent"
}
REFUSALS = {"other-kind": "an object of another kind than its type says is refused here, and sent there"}
