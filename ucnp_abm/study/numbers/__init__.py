"""What is made of many runs: means, intervals, paired tests, convergence, which assumption carries a verdict."""
