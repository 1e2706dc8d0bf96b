"""The plugin door: how rails that are installed beside the core are found."""
