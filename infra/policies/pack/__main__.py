"""What the engine starts: serves the pack and prints the port."""

from infra.policies.pack.serving import main

main()
