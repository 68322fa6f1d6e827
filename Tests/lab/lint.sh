#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every check that needs no build. All are run, also after one has failed; nothing is changed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export PATH=$PATH:/opt/swift/usr/bin
failed=0

check() { # NAME COMMAND...
    local name=$1
    shift
    echo "lint: $name"
    "$@" || {
        echo "lint: FAILED: $name" >&2
        failed=1
    }
}

tracked() { git ls-files --cached --others --exclude-standard | while read -r file; do
    [ ! -f "$file" ] || echo "$file"
done; }

shell_scripts() { tracked | while read -r file; do
    case $file in
    *.sh) echo "$file" ;;
    *.*) [[ $file != .ci/* ]] || echo "$file" ;;
    *) ! head -c 64 "$file" | head -n 1 | grep -qaE '^#!.*\b(ba|)sh\b' || echo "$file" ;;
    esac
done; }

for tool in swift git python3 shellcheck; do
    command -v "$tool" >/dev/null || {
        echo "lint: $tool is missing; 'make deps' installs all but Swift" >&2
        exit 1
    }
done
mapfile -t scripts < <(shell_scripts)
[ ${#scripts[@]} -gt 0 ]

check "the checker itself" python3 Tests/lab/lint.py --self-test
check "licence lines, sizes, words, tracked files" python3 Tests/lab/lint.py
check "shell scripts (${#scripts[@]})" shellcheck -x "${scripts[@]}"
check "format of the Swift code" \
    swift format lint --strict --parallel --recursive Package.swift Sources Tests
[ "$failed" = 0 ] || exit 1
echo "lint: passed"
