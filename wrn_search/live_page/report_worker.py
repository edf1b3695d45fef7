"""The process that makes reports for a live page: what takes seconds, at the lowest priority, beside the server.

It reads a request a line on stdin and answers a line on stdout, and ends when nobody can ask any more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

_LOWEST_PRIORITY = 19
FITTED_LATER = "it is being fitted at this moment, and follows on this page"


def contents_as_values(paths: Sequence[str], *, with_model: bool) -> dict[str, Any]:
    """The report as it stands in its page: `title`, `body` (markup), `data` (JSON by id), `counts` of trials by path.

    Raises:
        InputError: there is nothing to report, or the searches cannot be compared.
    """
    from wrn_search.analysis.all_findings import findings_from
    from wrn_search.analysis.input_tables.joined_tables import material_of
    from wrn_search.analysis.readings.tested_networks import tested_networks, tests_each
    from wrn_search.report.html.write_report_file import report_contents
    from wrn_search.report.readings.page_of_tested_networks import contents_of_tested

    counts: list[int] = []
    if any(tests_each(path) for path in paths):
        contents = contents_of_tested(tested_networks(paths))
    else:
        material = material_of(paths)
        counts = [int((material.trials["source"] == place).sum()) for place in range(len(paths))]
        findings = findings_from(material, why_no_model="" if with_model else FITTED_LATER)
        contents = report_contents(material, findings)
    return {
        "title": contents.title,
        "body": str(contents.body),
        "data": {name: str(value) for name, value in contents.values.items()},
        "counts": counts,
    }


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """What one request gets: the report, or `problem`; and the CPU `seconds` that it took."""
    from wrn_search.errors import InputError

    began = time.process_time()
    try:
        answer = contents_as_values(request["paths"], with_model=request["with_model"])
    except InputError as error:
        answer = {"problem": str(error)}
    except Exception as error:  # one report that fails is no reason to make no other
        answer = {"problem": f"a fault of this program: {type(error).__name__}: {error}"}
    return answer | {"seconds": time.process_time() - began}


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answers until the requests end."""
    for line in requests:
        answers.write(json.dumps(answer_to(json.loads(line))) + "\n")
        answers.flush()


def main() -> None:
    """The process."""
    with suppress(OSError):
        os.nice(_LOWEST_PRIORITY)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    with suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
