"""Search for persons among those that are enrolled, or hear that it is nobody."""

from tfreid.cli.main import run_named

COMMANDS = {
    name: f"tfreid.gallery.commands.{name}"
    for name in ("create", "enrol", "search", "calibrate", "show", "forget", "rebuild", "index", "serve")
}

if __name__ == "__main__":
    run_named(COMMANDS, "python -m tfreid.gallery")
