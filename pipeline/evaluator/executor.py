"""What the RetrievalEvaluator does: embed through Beam, measure, compare, bless."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from pipeline.config import Thresholds
from pipeline.evaluator.decision import Decision, decide
from pipeline.storage import readable, single_uri, writable
from tfreid import evaluation, report
from tfreid.files import write_json
from tfreid.records import Records
from tfreid.serving import ServedModel
from tfreid.serving.embedding import describe_with_beam

EXAMPLES, MODEL, BASELINE = "examples", "model", "baseline_model"
EVALUATION, BLESSING = "evaluation", "blessing"
CONFIG = "config"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Evaluates a model, and the baseline on the same images."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `metrics.json`, `decision.json` and `report/index.html`, and the blessing.

        The blessing's custom property `blessing_message` says why.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = json.loads(exec_properties[CONFIG])
        model = artifact_utils.get_single_instance(input_dict[MODEL])
        baselines = input_dict.get(BASELINE) or []
        named = [(config["name"], model), *(("served", baseline) for baseline in baselines)]
        with (
            readable(single_uri(input_dict, EXAMPLES)) as records,
            writable(single_uri(output_dict, EVALUATION)) as out,
        ):
            folder = Records(records)
            results = [
                self._audit(name, tested, folder, config["seed"], out) for name, tested in named
            ]
            decision = _write(out, results, Thresholds(**config["thresholds"]))
        _bless(
            artifact_utils.get_single_instance(output_dict[BLESSING]), decision, model, baselines
        )

    def _audit(
        self, name: str, model: types.Artifact, folder: Records, seed: int, results: Path
    ) -> evaluation.AuditResult:
        """Measures a model; the Beam workers leave their descriptors in `results` for a while."""
        (tested,) = evaluation.evaluation_sets(folder)  # A pipeline converts one data set.
        measurement = evaluation.Measurement(evaluation.variants_of(tested), seed=seed)
        with readable(path_utils.serving_model_path(model.uri)) as path:
            served = ServedModel(path)
            descriptors = describe_with_beam(
                path,
                folder.path,
                measurement.variants,
                batch_size=measurement.batch_size,
                seed=seed,
                beam_args=self._beam_pipeline_args or [],
                results=results,
            )
            network = evaluation.DescribedNetwork(
                name, served, served.image_size_px, descriptors=descriptors
            )
            return evaluation.audit([network], tested, measurement)


def _write(
    out: Path, results: Sequence[evaluation.AuditResult], thresholds: Thresholds
) -> Decision:
    """Decides on the first result, beside the second where there is one, and writes it all down."""
    metrics = [result.metrics() for result in results]
    decision = decide(metrics[0], metrics[1] if metrics[1:] else None, thresholds)
    report.write_report(out / "report" / "index.html", results)
    write_json(out / "metrics.json", dict(zip(("candidate", "baseline"), metrics, strict=False)))
    write_json(
        out / "decision.json",
        {"blessed": decision.blessed, "passed": decision.passed, "failed": decision.failed},
    )
    return decision


def _bless(
    blessing: types.Artifact,
    decision: Decision,
    model: types.Artifact,
    baselines: list[types.Artifact],
) -> None:
    """Marks a blessing as TFX's Evaluator does: a file for people, properties for components."""
    file, value = constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE
    if decision.blessed:
        file, value = constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE
    with writable(blessing.uri) as folder:
        (folder / file).touch()
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for baseline in baselines:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY, decision.summary
    )
