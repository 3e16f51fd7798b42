#!/bin/sh
# Everything there is to know of wsr on a GPU, in one command and within eight minutes: tests on CUDA, speeds, memory.
#
#   sh tools/gpu_check.sh            writes gpu-report.json and gpu-check.log into $OUT (./gpu-report)
#   sh tools/gpu_check.sh --toy      the same at toy sizes; so it runs where there is no GPU, too
#   sh tools/gpu_check.sh --list     the wheels to bring to a machine without internet, and how to fetch them
#
# The machine needs PyTorch with CUDA, which is left as it is. What else is missing comes from wheels in the folder $WHEELS
# (tools/wheels or ./wheels), and goes into $OUT/site: nothing is installed into the machine's own Python. $PYTHON: which
# Python to run (python3). Further options: sh tools/gpu_check.sh --help
set -eu
cd "$(dirname "$0")/.."
OUT=${OUT:-gpu-report}
PYTHON=${PYTHON:-python3}
mkdir -p "$OUT"
export OUT PYTHON

if [ "${1:-}" = "--list" ]; then
    exec "$PYTHON" tools/gpu_wheels.py --list
fi
"$PYTHON" tools/gpu_wheels.py --into "$OUT/site"
PYTHONPATH="$(pwd):$(cd "$OUT" && pwd)/site${PYTHONPATH:+:$PYTHONPATH}"
WSR_CACHE=${WSR_CACHE:-$OUT/cache}
export PYTHONPATH WSR_CACHE
exec "$PYTHON" -m wsr.bench.gpu "$@"
