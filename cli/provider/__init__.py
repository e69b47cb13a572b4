"""A Pulumi resource provider named kubernetes, for where the official plugin cannot be had.

It keeps to the official provider's contract (pulumi-kubernetes 4.34): the same inputs, state, field managers,
replacement rules and waiting rules, so that a stack can be handed from one to the other at any time.
Run it as `python -m cli.provider`.
"""

VERSION = "4.34.2"
"""The version of the official provider whose contract this one keeps."""
