"""Several trajectories together: replicas on the same crystals, their statistics, throughput."""
