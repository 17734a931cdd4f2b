"""An embedding matrix as a layer."""
