"""Names of sources, and the sources behind them."""
