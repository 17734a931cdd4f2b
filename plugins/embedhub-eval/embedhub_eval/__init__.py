"""How good vectors are: benchmarks, comparisons, plots."""
