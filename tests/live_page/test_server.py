"""What the live page's addresses answer, by plain HTTP: to whom, what is new, what becomes of damage and of names."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import ROOT, run
from tests.decisions.playing import metrics, space_of
from tests.notebook.test_search_object import searched
from tests.report.html.test_page import Reading
from wrn_search.cli.running.watch import searches_to_watch
from wrn_search.errors import InputError
from wrn_search.live_page.address import listen
from wrn_search.results.events import Failed, Reported, SearchEnded
from wrn_search.results.events_jsonl import Record

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A search whose trial 2 trains: 13 epochs are on record."""
    return searched(tmp_path / "running", most_reports=13)


def append(path: Path, *events: Any) -> None:
    """What the driver of the search would write now."""
    with Record.open(path / "events.jsonl") as record:
        for event in events:
            record.append(event)


def test_only_who_has_the_token_is_told_anything(visit: Any, running: Path) -> None:
    served = visit(running)
    for path in ("/", "/live", "/report", "/trials/1/0", "/files/page.js", "/trials/1/files/live.js"):
        for token in (None, "x", served.listening.token[:-1], served.listening.token + "x"):
            status, text = served.get(path, token=token)
            assert (status, "WRN" in text, "played" in text) == (403, False, False)
        assert served.get(path)[0] == 200
    assert served.address == f"http://127.0.0.1:{served.listening.port}/?token={served.listening.token}"
    assert len(served.listening.token) >= 32
    assert visit(running).listening.token != served.listening.token


def test_nothing_listens_but_on_loopback(visit: Any, running: Path) -> None:
    served = visit(running)
    assert served.listening.is_loopback
    assert served.listening.socket.getsockname()[0] == "127.0.0.1"
    with socket.socket() as other:
        place = ("127.0.0.2", served.listening.port)  # another address of this machine
        assert other.connect_ex(place) != 0


def test_the_page_runs_only_its_own_scripts_and_loads_nothing_from_elsewhere(
    visit: Any, running: Path
) -> None:
    served = visit(running)
    page = Reading(served.get("/")[1])
    sources = [attributes["src"] for attributes, _ in page.scripts if "src" in attributes]
    assert [source.partition("?")[0] for source in sources if source] == [
        f"files/{name}.js" for name in ("plotly", "trials", "parallel", "linked", "page", "live")
    ]
    inline = [attributes for attributes, _ in page.scripts if "src" not in attributes]
    assert {attributes["type"] for attributes in inline} == {"application/json"}
    for path in ("/", "/live", "/trials/1/0"):
        address = f"http://127.0.0.1:{served.listening.port}{path}?token={served.listening.token}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; connect-src 'self'")
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert served.get("/files/server.py")[0] == served.get("/files/..%2fserver.py")[0] == 404


def test_a_new_epoch_is_told_by_the_next_question(visit: Any, running: Path) -> None:
    served = visit(running)
    first = served.values("/live")
    assert first["rows"] == []  # what is on the page already
    (card,) = first["cards"]
    assert "13 epochs" in card["facts"]
    append(running, Reported(2, metrics(2, 17.25), "node", "cpu"))
    told = served.values("/live", after=first["version"])
    (row,) = told["rows"]
    assert (row["search"], row["number"]) == (1, 2)
    assert row["points"][-1] == [2, 17.25]
    assert {name: row["values"][name] for name in ("val_error", "epochs_done", "status")} == {
        "val_error": 17.25,
        "epochs_done": 2,
        "status": "running",
    }
    assert served.values("/live", after=told["version"])["rows"] == []
    part = served.values("/trials/1/2", part="1")
    assert "error now 17.25 %" in part["header"]


def test_what_no_browser_sends_is_taken_for_nothing_known(visit: Any, running: Path) -> None:
    served = visit(running)
    for after in ("", "x", "1.2", "-1", "9" * 40, "%00"):
        assert isinstance(served.values("/live", after=after)["rows"], list)
    for of in ("7", "x", "-1", "9" * 40):
        assert served.get("/live", of=of)[0] == served.get("/", of=of)[0] == 404
    assert served.get("/trials/1/99")[0] == served.get("/trials/2/0")[0] == served.get("/nothing")[0] == 404


def test_the_report_comes_without_the_model_and_then_with_it(visit: Any, tmp_path: Path) -> None:
    served = visit(searched(tmp_path / "one"), searched(tmp_path / "other", most_reports=13))
    quick = served.wait_for_report(lambda told: True)
    assert quick["counts"] == [4, 3]
    assert quick["searches"] == [1, 2]
    whole = served.wait_for_report(lambda told: told["has_model"])
    assert whole["report"] > quick["report"]
    for told in (quick, whole):
        page = Reading(f"<div>{told['body']}</div>")
        assert {"answer", "maps", "trials", "provenance"} <= {
            attributes.get("id") for tag, attributes in page.elements if tag == "section"
        }
    assert "follows on this page" in quick["body"]
    assert "follows on this page" not in whole["body"]
    assert served.values("/report", of="2")["report"] is None  # each choice has reports of its own
    assert "all together" in served.get("/")[1]


def test_a_damaged_record_is_told_and_the_others_go_on(visit: Any, running: Path, tmp_path: Path) -> None:
    other = searched(tmp_path / "other", most_reports=5)
    served = visit(running, other)
    served.values("/live")
    with (running / "events.jsonl").open("ab") as file:
        file.write(b"nonsense\n")
    append(other, Reported(0, metrics(6, 9.5), "node", "cpu"))
    broken, whole = served.values("/live")["cards"]
    assert "events.jsonl:" in broken["problem"]
    assert whole["problem"] is None
    assert served.values("/trials/2/0", part="1")["header"].count("9.50 %") == 2


def test_no_name_and_no_error_acts_in_the_page_of_a_trial(visit: Any, tmp_path: Path) -> None:
    path = searched(tmp_path / HOSTILE, most_reports=13)
    trial_id = next(iter(re.findall(r"00002-[0-9a-f]+", (path / "events.jsonl").read_text())))
    (path / "logs").mkdir()
    (path / "logs" / f"{trial_id}.txt").write_text(f"the trace {HOSTILE}\x1b[2J")
    append(path, Failed(2, f"RuntimeError: {HOSTILE}"), SearchEnded("failed"))
    status, text = visit(path).get("/trials/1/2")
    assert status == 200
    page = Reading(text)
    tags = [tag for tag, _ in page.elements]
    assert "img" not in tags
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]
    assert f"RuntimeError: {HOSTILE}" in page.text
    assert f"the trace {HOSTILE}\\x1b[2J" in page.text
    commands = [
        attributes["data-text"] for _, attributes in page.elements if attributes.get("class") == "copy"
    ]
    assert [command.split()[3] for command in commands if command] == ["rerun", "export", "run"]
    assert all(f"'{path}'" in command for command in commands if command)  # quoted for a shell


def test_a_link_laid_into_the_logs_is_not_followed(visit: Any, running: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    (running / "logs").mkdir()
    trial_id = next(iter(re.findall(r"00002-[0-9a-f]+", (running / "events.jsonl").read_text())))
    (running / "logs" / f"{trial_id}.txt").symlink_to(secret)
    assert "a secret" not in visit(running).get("/trials/1/2")[1]


def test_the_command_prints_an_address_that_answers_and_ends_with_ctrl_c(running: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "wrn_search", "watch", str(running)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT},
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    said = process.stdout.readline() + process.stdout.readline()
    assert said.startswith(f"Watching {running} at\n  http://127.0.0.1:")
    with urllib.request.urlopen(said.split()[-1], timeout=100) as answer:
        assert b"WRN Search" in answer.read()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=100)
    assert process.returncode == 0
    assert "Traceback" not in told


def test_bad_input_ends_with_status_2(running: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("-m", "wrn_search", "watch", str(running), "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"--port: must be a free port, but {port} on 127.0.0.1 cannot be had: ")
    done = run("-m", "wrn_search", "watch", str(tmp_path / "empty"), str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{tmp_path / 'empty'}: must be the results directory of a search, or a folder with some below it, "
        "but it is a folder without events.jsonl",
        f"{tmp_path / 'nothing'}: must be a results directory, but there is no such directory",
    ]


@pytest.mark.parametrize(
    ("host", "port", "told"),
    [
        ("127.0.0.1", 70000, "--port: must be 1 to 65535, but got 70000"),
        ("127.0.0.1", -1, "--port: must be 1 to 65535, but got -1"),
        ("203.0.113.7", 0, "--host: must be an address of this machine, but got '203.0.113.7'"),
        ("", 99999, "--port: must be 1 to 65535"),
    ],
)
def test_where_nobody_can_listen_is_told(host: str, port: int, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        listen(host, port)


def test_folders_stand_for_the_searches_below_them_without_their_confirmations(tmp_path: Path) -> None:
    one, other = searched(tmp_path / "all" / "one"), searched(tmp_path / "all" / "other")
    searched(one / "confirm", space_of())
    found = searches_to_watch([str(tmp_path / "all"), str(other)])
    assert [each.path for each in found] == [one, other]
    assert [each.path for each in searches_to_watch([str(one / "confirm")])] == [one / "confirm"]
