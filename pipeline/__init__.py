"""The TFX pipeline: from a folder of images to a blessed, versioned model, and back again.

`pipeline.run_local` runs it on one machine, `pipeline.run_kubeflow` compiles it for Kubeflow and
Vertex. Both build it with `pipeline.pipeline.build` from a `pipeline.config.PipelineConfig`.
"""
