"""Whether previews tell the truth: edits of the three environments, previewed, applied, looked at in the cluster."""
