"""Which field of a recipe a user meant by a name that it does not have."""

import difflib
from collections.abc import Collection

SYNONYMS: dict[str, tuple[str, ...]] = {
    "arch": ("backbone", "backbone_depth", "architecture"),
    "backbone": ("backbone", "backbone_depth", "architecture"),
    "batch": ("batch_size", "persons_per_batch", "images_per_person"),
    "batch_size": ("persons_per_batch", "images_per_person"),
    "bs": ("batch_size", "persons_per_batch", "images_per_person"),
    "cutout": ("erasing_probability",),
    "depth": ("backbone", "backbone_depth"),
    "epochs": ("steps",),
    "gamma": ("factor",),
    "gradient_clipping": ("clip_norm",),
    "ids_per_batch": ("persons_per_batch",),
    "image_size": ("image_size_px",),
    "iterations": ("steps", "epochs"),
    "l2": ("weight_decay",),
    "lr": ("learning_rate",),
    "mirror": ("flip_probability",),
    "model": ("backbone", "backbone_depth", "architecture"),
    "pretrained": ("weights",),
    "rate": ("learning_rate",),
    "resolution": ("image_size_px",),
    "size": ("image_size_px",),
    "steps": ("epochs", "steps_per_epoch"),
    "updates": ("steps", "epochs"),
    "wd": ("weight_decay",),
}
"""Words of other toolkits -> last words of fields; a recipe has some of them."""


def nearest_fields(name: str, known: Collection[str]) -> list[str]:
    """Returns up to three fields that a user may have meant, the outermost first.

    They are, whatever there is of it first: the fields inside of `name`, those of the same last
    word, of one that means the same, of one that has it as a part (`flip` in `flip_probability`),
    or of one that is spelled alike.

    Args:
      name: what the user gave, dotted where nested.
      known: names of all fields, dotted where nested.
    """
    path, _, word = name.lower().replace("-", "_").rpartition(".")
    last = {field: field.rpartition(".")[2] for field in known}
    alike = dict.fromkeys(difflib.get_close_matches(word, last.values()))
    groups = (
        [field for field in known if field.startswith(f"{name}.")],
        [field for field in known if last[field] == word],
        [field for field in known if last[field] in SYNONYMS.get(word, ())],
        [field for field in known if f"_{word}_" in f"_{last[field]}_"],
        [field for near in alike for field in known if last[field] == near],
    )
    found = next(filter(None, groups), [])
    inside = [field for field in found if field.startswith(f"{path}.")]
    return sorted(inside or found, key=lambda field: field.count("."))[:3]
