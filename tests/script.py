"""Runs a script in a folder: `script PATH FOLDER`."""

import os
import runpy
import sys

if __name__ == "__main__":
    _, path, folder = sys.argv
    os.chdir(folder)
    runpy.run_path(path, run_name="__main__")
