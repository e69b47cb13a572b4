"""Every pair, by theme."""

from tests.parity.pairs import cluster, config, network, others, tracks, workloads

PAIRS = [*config.PAIRS, *workloads.PAIRS, *network.PAIRS, *cluster.PAIRS, *others.PAIRS, *tracks.PAIRS]
