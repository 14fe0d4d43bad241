from PIL import Image

from tests.commands import run_command

FLAGS = [
    "--persons=1", "--cameras=2", "--lip_images=2", "--backgrounds=1", "--occluded_persons=0",
    "--workers=1",
]  # fmt: skip


def synthesize(*flags):
    return run_command("synthesize", *FLAGS, *flags)


def test_draws_once_and_refuses_other_parameters(tmp_path):
    out, sheet = tmp_path / "people", tmp_path / "sheet.png"
    first = synthesize(f"--out={out}", f"--contact_sheet={sheet}")
    assert first.returncode == 0, first.stderr
    assert f"wrote {out}/" in first.stdout
    assert Image.open(sheet).format == "PNG"
    second = synthesize(f"--out={out}")
    assert (second.returncode, second.stderr) == (0, "")
    assert "is there already, complete" in second.stdout
    other = synthesize(f"--out={out}", "--seed=1")
    assert other.returncode == 2
    assert "choose another folder" in other.stderr
    assert "Traceback" not in other.stderr
