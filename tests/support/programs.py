# SPDX-License-Identifier: MIT
"""Traces of real programs, for tests that change them: those of the corpus, killed when they rest, and truth_program."""
import json
import os
import pathlib
import subprocess
import sys
import time

BUILD = pathlib.Path(os.environ["SPOOL_BUILD_DIR"])
UNSPOOL = BUILD / "tools/unspool/unspool"
VERDICTS = pathlib.Path(__file__).resolve().parent.parent / "corpus/verdicts.txt"


def waiters_of(name):
    """How many threads wait when the program rests."""
    for line in VERDICTS.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] == name:
            return sum(len(cell.split()) for cell in cells[4:6])
    sys.exit(f"FAILED: the corpus has no program {name}")


def waiting(trace):
    run = subprocess.run([UNSPOOL, "state", "--format", "json", trace], capture_output=True, text=True, check=False)
    if run.returncode == 4:
        return -1
    return sum(each["state"] == "waiting" for each in json.loads(run.stdout)["processes"][0]["threads"])


def record(work, name, seconds=60):
    """The trace, in a directory of its own."""
    parent = work / name
    parent.mkdir()
    environment = dict(os.environ, SPOOL_DIR=str(parent), SPOOL_KEEP="all")
    if name == "truth":
        subprocess.run([BUILD / "tests/truth_program", parent / "calls"], env=environment, check=True)
        return next(parent.glob("*.spool"))
    threads = waiters_of(name)
    output = parent / "out"
    with open(output, "wb") as file:
        process = subprocess.Popen([BUILD / "tests/corpus", name], env=environment, stdout=file,
                                   stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + seconds
        while True:
            if time.monotonic() > deadline:
                sys.exit(f"FAILED: {name} does not come to rest")
            time.sleep(0.05)
            found = list(parent.glob("*.spool"))
            serves = "main serves" in output.read_text() or threads > 0
            if found and serves and waiting(found[0]) >= threads:
                return found[0]
    finally:
        process.kill()
        process.wait()
