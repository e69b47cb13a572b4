"""Every pair, by theme."""

from tests.parity.pairs import cluster, config, network, others, workloads

PAIRS = [*config.PAIRS, *workloads.PAIRS, *network.PAIRS, *cluster.PAIRS, *others.PAIRS]
