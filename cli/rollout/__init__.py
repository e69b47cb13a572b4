"""Releases, rollouts and rollbacks. Nothing here imports pulumi: a rollback needs a kubeconfig and nothing else."""
