#!/bin/sh
# Checks wsr on a GPU, in one command and in at most eight minutes: tests on CUDA, then speeds and memory.
#
#   sh tools/gpu_check.sh            writes gpu-report.json and gpu-check.log into $OUT (./gpu-report)
#   sh tools/gpu_check.sh --toy      the same at toy sizes, which a machine without a GPU can run as well
#   sh tools/gpu_check.sh --list     lists the wheels to bring to a machine without internet, and how to fetch them
#
# The machine needs PyTorch with CUDA, which is left as it is. Other packages that are missing are installed into $OUT/site
# from wheels in the folder $WHEELS (by default tools/wheels or ./wheels). The machine's own Python is left as it is.
# $PYTHON names the Python to run (by default python3). sh tools/gpu_check.sh --help explains further options.
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
# asked otherwise whether there is a GPU, PyTorch would initialise CUDA, and the processes of the stages could not be forks
PYTORCH_NVML_BASED_CUDA_CHECK=1
export PYTHONPATH WSR_CACHE PYTORCH_NVML_BASED_CUDA_CHECK
exec "$PYTHON" -m wsr.bench.gpu "$@"
