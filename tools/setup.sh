#!/bin/sh
# Find a Python that is new enough and let it set up the project's own environment: tools/setup.sh [test] [check] [docs]
# PYTHON=/path/to/python3.12 tools/setup.sh chooses one.
here=$(dirname "$0")
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$python" "$here/bootstrap.py" "$@"
    fi
done
found=$("${PYTHON:-python3}" --version 2>&1) || found="none"
echo "Tocsin needs Python 3.11 or newer; ${PYTHON:-python3} is: $found." >&2
echo "Install one (Debian: apt install python3) or name it: make PYTHON=/path/to/python3.12 demo" >&2
exit 2
