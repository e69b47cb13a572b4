"""An open-loop load generator: it sends on schedule whatever the answers are, and never tries again."""
