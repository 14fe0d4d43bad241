"""List the trained models that come with tfreid, each with its card.

A name is given as --model=NAME to tfreid.gallery and tfreid.audit.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from tfreid.zoo import FOLDER, MODELS, card_of


def main() -> None:
    """Prints the cards."""
    for model in MODELS:
        files = (file for file in (FOLDER / model).rglob("*") if file.is_file())
        size_mb = sum(file.stat().st_size for file in files) / 1e6
        print(f"--model={model}: {FOLDER / model} ({size_mb:.1f} MB)\n\n{card_of(model)}")


if __name__ == "__main__":
    command.run(main)
