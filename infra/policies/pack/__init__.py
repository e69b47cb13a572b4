"""The same rules as a policy pack of plain Pulumi: `pulumi preview --policy-pack infra/policies/pack`.

Pulumi's Python SDK for packs asks for an older protobuf than its other packages, so the pack answers the engine's
protocol (`pulumi/analyzer.proto`) by itself, with the stubs that the `pulumi` package brings.
"""
