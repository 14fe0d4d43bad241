"""ExampleGen for image folders: TFX's driver, tfreid's conversion.

Its artifact is a converted data set, as `python -m tfreid.convert` writes it, and at the same
time what TFX expects: the shards of each split are also in a folder `Split-<name>`.
"""

import glob
import os
import shutil
from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, json_format, struct_pb2
from tfx import types
from tfx.components import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from pipeline.config import PipelineConfig
from pipeline.storage import writable
from tfreid.datasets import SplitChoice
from tfreid.masks import READY_NETWORKS, mask_maker
from tfreid.records import ImageSet, Records, conversion, sources

_EXAMPLES = standard_component_specs.EXAMPLES_KEY
_CUSTOM_CONFIG = standard_component_specs.CUSTOM_CONFIG_KEY
_SHARDS = 4
_MOST_NESTED = 5
"""How deep below a data set's folder its files are looked for changes."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Converts the data set that the custom config names."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the `examples` artifact.

        Raises:
          UsageError, DataError: as `tfreid.records.conversion.convert`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(output_dict[_EXAMPLES])
        options = _unpack(exec_properties[_CUSTOM_CONFIG])
        with writable(examples.uri) as out:
            folder = _convert(options, out, self._beam_pipeline_args or [])
            for split in folder.info.splits:
                _link_split(folder, split)
        examples.split_names = artifact_utils.encode_split_names(list(folder.info.splits))
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)


def image_example_gen(config: PipelineConfig, kind: str) -> FileBasedExampleGen:
    """Returns the component that converts a data set.

    TFX's driver takes the number, sizes and times of the files as the input's fingerprint: when
    they change, the component runs again.

    Args:
      config: of the pipeline.
      kind: of records, `"reid"` or `"parsing"`.
    """
    options = config.conversion(kind)
    component = FileBasedExampleGen(
        input_base=options["root"],
        input_config=example_gen_pb2.Input(splits=_watched(options)),
        custom_config=example_gen_pb2.CustomConfig(custom_config=_pack(options)),
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )
    return component.with_id(f"ImageExampleGen-{kind}")


def _watched(options: dict[str, Any]) -> list[example_gen_pb2.Input.Split]:
    """Patterns of all files that the conversion reads, and of their folders."""
    images = Path(options["root"])
    roots = {"images": images.parent if images.is_file() else images}
    roots |= {name: options[f"{name}_root"] for name in ("masks", "backgrounds")}
    if options["parser"] and options["parser"] not in READY_NETWORKS:  # Known by their hash.
        roots |= {"parser": options["parser"], "description": f"{options['parser']}.json"}
    return [
        example_gen_pb2.Input.Split(
            name=f"{name}{depth}", pattern=f"{glob.escape(str(root))}{'/*' * depth}"
        )
        for name, root in roots.items()
        if root
        for depth in range(1 + _MOST_NESTED)
    ]


def _pack(options: dict[str, Any]) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(json_format.ParseDict(options, struct_pb2.Struct()))
    return packed


def _unpack(custom_config: str) -> dict[str, Any]:
    message = proto_utils.json_to_proto(custom_config, example_gen_pb2.CustomConfig())
    options = struct_pb2.Struct()
    message.custom_config.Unpack(options)
    return json_format.MessageToDict(options)


def _convert(options: dict[str, Any], out: Path, beam_args: list[str]) -> Records:
    masks_root, scenes = (options[name] or None for name in ("masks_root", "backgrounds_root"))
    data = ImageSet(
        options["name"],
        Path(options["root"]),
        masks_root=Path(masks_root) if masks_root else None,
        mask_vocabulary=options["mask_vocabulary"],
        split=_split(options),
    )
    seed = int(options["seed"])  # A Struct's numbers are floats.
    parser = mask_maker(options["parser"]) if options["parser"] else None
    plan = sources.plan([data], shards=_SHARDS, copies=0, seed=seed, parser=parser)
    conversion.convert(
        plan,
        out,
        conversion.ConversionOptions(
            max_reject_fraction=options["max_reject_fraction"],
            backgrounds_root=Path(scenes) if scenes else None,
            seed=seed,
            synthetic=data.drawn_in is not None,
        ),
        command="pipeline.example_gen",
        beam_args=beam_args,
    )
    return Records(out)


def _split(options: dict[str, Any]) -> SplitChoice | None:
    asked = [
        int(options[name]) if options[name] else None for name in ("split_seed", "split_index")
    ]
    return None if asked == [None, None] else SplitChoice(*asked)


def _link_split(folder: Records, split: str) -> None:
    """Puts a split's shards where TFX looks for them, without a second copy where links work."""
    target = folder.path / f"Split-{split}"
    target.mkdir()
    for shard in folder.shards(split):
        try:
            os.link(shard, target / shard.name)
        except OSError:
            shutil.copyfile(shard, target / shard.name)
