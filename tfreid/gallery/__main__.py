"""Search for persons among those that are enrolled, or hear that it is nobody."""

from tfreid.cli.main import run_named

VERBS = ("create", "enrol", "search", "calibrate", "serve", "show", "forget", "rebuild", "index")
COMMANDS = {verb: f"tfreid.gallery.commands.{verb}" for verb in VERBS}

if __name__ == "__main__":
    run_named(COMMANDS, "python -m tfreid.gallery")
