# SPDX-License-Identifier: MIT
"""How the demo's tests start programs, wait for them, ask unspool, and say what is wrong."""
import atexit
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

SOURCE = pathlib.Path(os.environ["SPOOL_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["SPOOL_BUILD_DIR"])
UNSPOOL = BUILD / "tools/unspool/unspool"
EXAMPLES = BUILD / "examples"


def work_directory():
    """A new directory that goes when the test ends."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="spool-test."))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def need(*commands):
    """Skips the test where one is not installed."""
    for command in commands:
        if shutil.which(command) is None:
            print(f"{command} is not installed")
            sys.exit(77)


def check(good, text):
    if not good:
        sys.exit(f"FAILED: {text}")


def wait_until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.05)


@contextlib.contextmanager
def running(command, output, **options):
    """The program runs, its output goes to the file `output`, and it is killed if it still runs at the end."""
    with open(output, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def unspool(*arguments):
    """Exit code and output. Nothing may be said on stderr."""
    run = subprocess.run([UNSPOOL, *arguments], capture_output=True, text=True, check=False)
    check(run.stderr == "", f"unspool {arguments[0]} says: {run.stderr}")
    return run.returncode, run.stdout


def unspool_json(command, trace):
    """Exit code and the one process of the document."""
    code, text = unspool(command, "--format", "json", str(trace))
    processes = json.loads(text)["processes"]
    check(len(processes) == 1, f"{len(processes)} traces in {trace}, where one was expected")
    return code, processes[0]


def check_rules(*inputs):
    """Every Record keeps to the rules of the primitives."""
    run = subprocess.run([UNSPOOL, "check", *inputs], capture_output=True, text=True, check=False)
    check(run.returncode == 0, f"unspool check {inputs} ended with {run.returncode}: {run.stdout}{run.stderr}")


def check_babeltrace(trace):
    """babeltrace2 reads every segment without a word on stderr, and as many events as `unspool cat` prints lines."""
    events = 0
    segments = sorted(path.parent for path in pathlib.Path(trace).glob("*.spool/*/metadata"))
    check(segments, f"no segment in {trace}")
    for segment in segments:
        run = subprocess.run(["babeltrace2", segment], capture_output=True, check=False)
        check(run.returncode == 0 and not run.stderr, f"babeltrace2 {segment}: {run.stderr.decode(errors='replace')}")
        events += run.stdout.count(b"\n")
    _, text = unspool("cat", "--definitions", str(trace))
    lines = text.count("\n")
    check(events == lines and events > 0, f"babeltrace2 reads {events} events, unspool cat prints {lines}")
    print(f"{len(segments)} segments: babeltrace2 and unspool cat agree on {events} Records")
