#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that need no compiler: licence lines, sizes, words that must not be committed, build products.

lint.py              checks every tracked file of the repository; prints FILE:LINE: PROBLEM
lint.py --numbers    prints medians and maxima of functions and files
lint.py --self-test  proves on bad samples that every check can fail
"""
import os
import re
import statistics
import subprocess
import sys

MAX_COLUMNS, MAX_FUNCTION, MAX_FILE = 110, 60, 400
CODE = (".swift", ".c", ".h", ".modulemap", ".sh", ".py", ".sql", ".toml", ".service", ".socket", ".conf")
# Words of how the work is organised, and places on a developer's machine: no reader can look there.
WORDS = {
    r"(?<![\w.-])(\.\./)*shared/": "a folder that is not in this repository",
    r"(?i)\bissues?\s+#?[0-9]": "a numbered issue",
    r"/work/[a-z]|/tmp/brief": "a path of a developer's machine",
}
# A build on a machine with other mirrors must not fail for a name in a script.
HOSTS = r"\b(pypi\.org|(deb|security)\.debian\.org|github\.com|crates\.io|npmjs\.org|proxy\.golang\.org)"
# Where a host may be named: dependencies are URLs, and Debian's mirror is only a default.
HOST_FILES = ("Package.swift", "Tests/lab/cloud-image.sh", "Tests/lab/debian-root.sh")
PRODUCTS = r"(^|/)(\.build|__pycache__)/|\.(o|a|so|swiftmodule|swiftdoc|pyc|qcow2|iso|img|deb|log)$"


def blank_literals(text):
    """The text with comments and string contents as spaces; line breaks and columns stay."""
    out, at, end = list(text), 0, len(text)

    def blank(start, stop):
        for index in range(start, min(stop, end)):
            if out[index] != "\n":
                out[index] = " "

    while at < end:
        if text.startswith("//", at):
            stop = text.find("\n", at)
            stop = end if stop < 0 else stop
        elif text.startswith("/*", at):
            stop = text.find("*/", at + 2)
            stop = end if stop < 0 else stop + 2
        elif match := re.compile(r'(#*)("""|")').match(text, at):
            stop = string_end(text, match)
        else:
            at += 1
            continue
        blank(at, stop)
        at = stop
    return "".join(out)


def string_end(text, opening):
    """Where the literal ends that `opening` matched; interpolations may hold literals of their own."""
    hashes, quote = opening.groups()
    at, escape, close = opening.end(), "\\" + hashes, quote + hashes
    while at < len(text):
        if text.startswith(escape + "(", at):
            at = interpolation_end(text, at + len(escape) + 1)
        elif text.startswith(escape, at):
            at += len(escape) + 1
        elif text.startswith(close, at):
            return at + len(close)
        elif quote == '"' and text[at] == "\n":
            return at
        else:
            at += 1
    return at


def interpolation_end(text, at):
    depth = 1
    while at < len(text) and depth:
        if match := re.compile(r'(#*)("""|")').match(text, at):
            at = string_end(text, match)
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


HEAD = re.compile(
    r"(?<![.\w`])(?:func\s+(?P<name>[^\s(<]+)|(?P<init>init)[?!]?\s*(?=[(<])|(?P<deinit>deinit)\b"
    r"|(?P<subscript>subscript)\s*(?=[(<])|var\s+(?P<var>\w+)\s*:[^={}\n]*(?=\{))")
NEXT = re.compile(
    r"\n\s*(?:@\w+|(?:(?:public|private|static|final|internal|mutating|override|nonisolated)\s+)*"
    r"(?:func|var|let|case|init|deinit|subscript|struct|enum|class|protocol|extension)\b)")


def functions(text):
    """(name, first line, number of lines) of every function with a body."""
    code = blank_literals(text)
    for match in HEAD.finditer(code):
        opening = body_start(code, match.end())
        if opening is None:
            continue
        closing = balanced(code, opening, "{", "}")
        first = code.count("\n", 0, match.start()) + 1
        name = next(group for group in match.groups() if group)
        yield name, first, code.count("\n", match.start(), closing) + 1


def body_start(code, at):
    """Where the `{` of the body is; None for a requirement without one."""
    while at < len(code):
        if code[at] == "{":
            return at
        if code[at] == "}" or (code[at] == "\n" and NEXT.match(code, at)):
            return None
        at = balanced(code, at, code[at], ")" if code[at] == "(" else "]") if code[at] in "([" else at + 1
    return None


def balanced(code, at, opening, closing):
    depth = 0
    while at < len(code):
        depth += {opening: 1, closing: -1}.get(code[at], 0)
        at += 1
        if depth == 0:
            return at
    return at


def is_code(path, text):
    return path.endswith(CODE) or path == "Makefile" or text.startswith("#!")


def check(path, data):
    """The problems of one file, as (line, sentence)."""
    if re.search(PRODUCTS, path) or data[:4] == b"\x7fELF":
        return [(1, "a build product must not be tracked")]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [] if "/Fixtures/" in path else [(1, "neither text nor a fixture")]
    problems = words(path, text)
    if not is_code(path, text):
        return problems
    lines = text.splitlines()
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
        problems.append((1, "the first lines lack: SPDX-License-Identifier: Apache-2.0"))
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            problems.append((number, f"{len(line)} columns; at most {MAX_COLUMNS}"))
    if path.endswith(".swift"):
        if len(lines) > MAX_FILE:
            problems.append((1, f"{len(lines)} lines; a file has at most {MAX_FILE}"))
        for name, first, count in functions(text):
            if count > MAX_FUNCTION:
                problems.append((first, f"{name} has {count} lines; a function has at most {MAX_FUNCTION}"))
    return problems


def words(path, text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in WORDS.items():
            if re.search(pattern, line) and path != "Tests/lab/lint.py":
                found.append((number, f"names {what}"))
        if re.search(HOSTS, line) and path not in HOST_FILES:
            found.append((number, "names the host of a package registry"))
    return found


def tracked():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    return sorted(name for name in names if name and os.path.isfile(name))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def numbers():
    swift = [name for name in tracked() if name.endswith(".swift")]
    texts = {name: read(name).decode() for name in swift}
    lengths = sorted(count for text in texts.values() for _, _, count in functions(text))
    files = sorted(len(text.splitlines()) for text in texts.values())
    for what, values in (("functions", lengths), ("files", files)):
        ninth = values[len(values) * 9 // 10]
        print(f"{what}: {len(values)}, median {statistics.median(values):g} lines, "
              f"nine of ten up to {ninth}, longest {values[-1]}")


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
BODY = "    print(1)\n" * 59
BAD = [
    ("A.swift", "import Glibc\n", "SPDX"),
    ("A.swift", SPDX + "// " + "x" * 110, "columns"),
    ("A.swift", SPDX + "let a = 1\n" * 400, "a file has"),
    ("A.swift", SPDX + "func f() {\n" + BODY + "}\n", "f has 61"),
    ("A.swift", SPDX + 'func f(a: () -> Int = { 1 }) {\n    "}\\(g("}"))"\n' + BODY + "}\n", "f has 62"),
    ("A.swift", SPDX + "struct S {\n init() {\n" + BODY + "}\n}\n", "init has 61"),
    ("A.swift", SPDX + "var big: [Int] {\n" + BODY + "}\n", "big has 61"),
    ("A.md", "see ../sha" + "red/X.md", "folder"),
    ("A.md", "as iss" + "ue 7 says", "numbered"),
    ("A.md", "in /wo" + "rk/main", "developer's"),
    ("a.sh", "#!/bin/sh\n# " + SPDX + "curl https://py" + "pi.org/simple", "registry"),
    ("Sources/a.o", "x", "build product"),
    (".build/debug/x", "x", "build product"),
    ("tool", b"\x7fELF\x02", "build product"),
    ("blob", b"\xff\xfe\x00", "neither text"),
]
GOOD = [
    ("A.swift", SPDX + "func f() {\n" + BODY[: -len("    print(1)\n")] + "}\n"),
    ("A.swift", SPDX + "protocol P {\n func f()\n var a: Int { get }\n}\nenum E {\n" + BODY * 2 + "}\n"),
    ("A.swift", SPDX + 'func f() { print("{ // {") }\n' + "let a = 1\n" * 90),
    ("A.swift", SPDX + 'let s = """\n  func f() {\n  """\n' + "let a = 1\n" * 90),
    ("A.md", "a snapshot is not a shared disk; `qemu:///session`; an issue of taste\n"),
]


def self_test():
    failures = 0
    for path, text, wanted in BAD:
        data = text if isinstance(text, bytes) else text.encode()
        if not any(wanted in problem for _, problem in check(path, data)):
            failures += 1
            print(f"not found in a bad sample of {path}: {wanted}: {check(path, data)}", file=sys.stderr)
    for path, text in GOOD:
        if check(path, text.encode()):
            failures += 1
            print(f"found in a good sample of {path}: {check(path, text.encode())}", file=sys.stderr)
    print(f"{len(BAD)} bad and {len(GOOD)} good samples, {failures} judged wrongly")
    return failures


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if arguments == ["--numbers"]:
        return numbers() or 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 64
    files = tracked()
    found = [(path, line, problem) for path in files for line, problem in check(path, read(path))]
    for path, line, problem in found:
        print(f"{path}:{line}: {problem}")
    print(f"{len(files)} files, {len(found)} problems")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
