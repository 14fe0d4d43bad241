"""TFX pipeline."""
