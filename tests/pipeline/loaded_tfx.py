"""TFX and the pipeline on it, loaded without their warnings."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")

    import pipeline.pipeline  # noqa: F401
