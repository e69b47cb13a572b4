"""How releases reach users: the settings of rollouts. Loads without Pulumi."""
