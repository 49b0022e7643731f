#!/bin/bash
# Runs the conformance suite of the array API standard: tests/array_api.sh [SUITE] [pytest options].
#
# SUITE, or ARRAY_API_TESTS, is a checkout of github.com/data-apis/array-api-tests with its
# submodules, at commit 55fcc60; without it the script clones that into build/. Its needs are in the
# extra `suite` of pyproject.toml. EXAMPLES (20) is how many inputs hypothesis draws for each test.
# For a device without float64: VKTENSOR_WITHOUT=float64
# ARRAY_API_TESTS_SKIP_DTYPES=float64,complex128.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
commit=55fcc60
suite=${ARRAY_API_TESTS:-}
if [ $# -gt 0 ] && [ -d "$1" ]; then
    suite=$1
    shift
fi
work=$here/../build/array-api-tests
mkdir -p "$here/../build"
if [ -n "$suite" ]; then
    rm -rf "$work"
    cp -r "$suite" "$work" # it writes beside itself
elif [ ! -d "$work" ]; then
    git clone -q https://github.com/data-apis/array-api-tests "$work"
    git -C "$work" checkout -q $commit
    git -C "$work" submodule -q update --init
fi
cd "$work"
export ARRAY_API_TESTS_MODULE=vktensor ARRAY_API_TESTS_VERSION=2025.12
options=("$@")
if [[ ${ARRAY_API_TESTS_SKIP_DTYPES:-} == *float64* ]]; then
    # The suite draws these integers in float64, and expects them back from float32.
    for name in ceil floor round trunc; do
        options+=(--deselect "array_api_tests/test_special_cases.py::test_unary[$name(x_i.is_int")
    done
fi
names=array_api_tests/test_has_names.py::test_has_names
# The extensions linalg and fft do not exist yet.
exec "${PYTHON:-python3}" -m pytest -c pytest.ini --rootdir=. array_api_tests \
    --hypothesis-disable-deadline --max-examples="${EXAMPLES:-20}" --derandomize \
    --disable-extension linalg fft --deselect "$names[linalg-" --deselect "$names[fft-" \
    --xfails-file="$here/array_api_xfails.txt" -q "${options[@]}"
