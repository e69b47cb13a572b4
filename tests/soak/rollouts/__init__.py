"""Rollouts and rollbacks of every strategy under load: no request may be lost, and how long each takes is measured."""
