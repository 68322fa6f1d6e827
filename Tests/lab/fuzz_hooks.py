# SPDX-License-Identifier: Apache-2.0
"""What schemathesis cannot know of this API: what is there, and which requests wait on purpose."""
import re
import zlib

import schemathesis

PRESENT = {"vm": ["fuzz1", "fuzz2", "fuzz3"], "image": ["tiny"], "network": ["default"]}


@schemathesis.hook
def before_call(context, case, kwargs):
    name_what_is_there(case)
    shorten_waits(case)


def name_what_is_there(case):
    """Every second request to an object meets one that exists; which, follows from what was generated."""
    for key, names in PRESENT.items():
        value = (case.path_parameters or {}).get(key)
        if isinstance(value, str) and value.isascii() and value.isalnum():
            number = zlib.crc32(value.encode())
            if number % 2:
                case.path_parameters[key] = names[number // 2 % len(names)]


def shorten_waits(case):
    """Waits and streams last as long as they are asked to."""
    path = case.operation.path
    if path == "/v1/events" and case.headers is not None:
        case.headers["Accept"] = "application/json"
    if case.query:
        case.query.pop("follow", None)
    if path.endswith("/wait"):
        # What is no time at all stays as it is, and is refused at once.
        if re.fullmatch(r"[0-9.]+[a-z]*", str((case.query or {}).get("timeout", "30s"))):
            case.query = {**(case.query or {}), "timeout": "100ms"}
        # Without a time it would be the daemon's own half minute.
        if isinstance(case.body, dict) and isinstance(case.body.get("timeoutSeconds", 1), int):
            case.body["timeoutSeconds"] = min(case.body.get("timeoutSeconds", 1), 1)
