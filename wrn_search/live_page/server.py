"""The server of a live page: it reads records when a browser asks, and tells only who knows the token."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from wrn_search.errors import InputError
from wrn_search.live_page.address import Listening
from wrn_search.live_page.followed_search import FollowedSearch
from wrn_search.live_page.live_values import card, rows_since, versions_of
from wrn_search.live_page.report_renewal import BEHIND, Reports, ReportWorker
from wrn_search.live_page.shell import POLICY, live_page, script_file, trial_document
from wrn_search.live_page.trial_page import trial_header, trial_main
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.trial_selection import name_of

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_ALL = 0  # the choice of all searches together; each alone from 1 on
Handler = Callable[[Request], Awaitable[Response]]


class LivePage:
    """The page of some searches: what is known of them, and what each address answers."""

    def __init__(self, directories: Sequence[ResultsDirectory], token: str):
        self.searches = [FollowedSearch(directory) for directory in directories]
        self.worker = ReportWorker()
        self._token = token
        self._reports: dict[int, Reports] = {}

    @property
    def app(self) -> Starlette:
        """The application; reading happens in it alone."""
        routes = {
            "/": self.page,
            "/live": self.live,
            "/report": self.report,
            "/trials/{search:int}/{number:int}": self.trial,
            "/trials/{search:int}/files/{name}": self.file,
            "/files/{name}": self.file,
        }
        return Starlette(routes=[Route(path, self._guarded(handler)) for path, handler in routes.items()])

    def look(self) -> None:
        """Reads what is new of every record."""
        for search in self.searches:
            search.look()

    def close(self) -> None:
        """Ends the process that makes reports."""
        self.worker.close()

    # --- what the addresses answer ----------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """The page; its script asks for the rest."""
        self.look()
        chosen = self._chosen(request)
        if chosen is None:
            return _not_found("there is no such search")
        names = [search.name for search in self.searches]
        choices = {}
        if len(names) > 1:
            labels = ["all together", *names]
            choices = {
                f"{label} ({place})" if labels.count(label) > 1 else label: ""
                if place == chosen
                else f"./?{self._query}&of={place}"
                for place, label in enumerate(labels)
            }
        self._renew(chosen)
        title = " + ".join(dict.fromkeys(names))
        query = self._query + (f"&of={chosen}" if chosen else "")
        return HTMLResponse(live_page(title, query, choices), headers=_HEADERS)

    async def live(self, request: Request) -> Response:
        """How the searches stand, and what is new since the events that the browser knows."""
        self.look()
        chosen = self._chosen(request)
        if chosen is None:
            return _not_found("there is no such search")
        at_once = request.query_params.get("renew") == "1"
        reports = self._renew(chosen, at_once=at_once)
        asked = request.query_params.get("after")
        versions = [search.version for search in self.searches]
        after = versions if asked is None else versions_of(asked, self.searches)
        last = reports.last
        told = {
            "version": ".".join(map(str, versions)),
            "cards": [card(search, self._address_of(place)) for place, search in self._numbered()],
            "rows": [
                row | {"search": place}
                for place, search in self._numbered()
                if place in self._places(chosen)
                for row in rows_since(search, after[place - 1], self._address_of(place))
            ],
            "report": last.number if last else None,
            "has_model": bool(last and last.with_model),
            "is_busy": reports.is_busy,
            "pause": last.pause if last else None,
        }
        return JSONResponse(told, headers=_HEADERS)

    async def report(self, request: Request) -> Response:
        """The last report, with the events of each search that it certainly knows."""
        chosen = self._chosen(request)
        if chosen is None:
            return _not_found("there is no such search")
        last = self._reports_of(chosen).last
        if last is None:
            return JSONResponse({"report": None}, headers=_HEADERS)
        at_ask = dict(zip(self._places(chosen), last.versions, strict=True))
        known = [search.version_before(at_ask.get(place, 0), BEHIND) for place, search in self._numbered()]
        values = last.values | {
            "report": last.number,
            "asked_at": last.asked_at,
            "has_model": last.with_model,
            "searches": self._places(chosen),
            "after": ".".join(map(str, known)),
        }
        return JSONResponse(values, headers=_HEADERS)

    async def trial(self, request: Request) -> Response:
        """A trial's own page; with `part` its content alone, for the script that keeps it up to date."""
        self.look()
        place, number = request.path_params["search"], request.path_params["number"]
        if not 1 <= place <= len(self.searches):
            return _not_found(f"the searches are 1 to {len(self.searches)}, but got {place}")
        search = self.searches[place - 1]
        trial = search.state.trials.get(number)
        if trial is None:
            return _not_found(f"there are {len(search.state.trials)} trials, from 0 on, but got {number}")
        of = "" if len(self.searches) == 1 else f"&of={place}"
        back = f"../../?{self._query}{of}#trial-{number}"
        main = trial_main(search, trial, can_go_on=_can_go_on(search))
        header = trial_header(search, trial, back)
        if request.query_params.get("part") == "1":
            return JSONResponse({"header": str(header), "main": str(main)}, headers=_HEADERS)
        page = trial_document(name_of(trial), header, main, self._query)
        return HTMLResponse(page, headers=_HEADERS)

    async def file(self, request: Request) -> Response:
        """A script of the pages."""
        content = script_file(request.path_params["name"])
        if content is None:
            return _not_found("there is no such file")
        headers = {**_HEADERS, "Cache-Control": "private, max-age=3600"}
        return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)

    # --- what they share --------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            given = request.query_params.get("token", "").encode()
            if not secrets.compare_digest(given, self._token.encode()):
                text = "The address must carry the token that `watch` has printed: ?token=...\n"
                return PlainTextResponse(text, 403, headers=_HEADERS)
            return await handler(request)

        return guarded

    @property
    def _query(self) -> str:
        return f"token={self._token}"

    def _numbered(self) -> list[tuple[int, FollowedSearch]]:
        return list(enumerate(self.searches, start=1))

    def _chosen(self, request: Request) -> int | None:
        """Which searches are reported on: all, or one of them by its number; None for what is no choice."""
        asked = request.query_params.get("of", "")
        if not asked:
            return _ALL
        if not asked.isascii() or not asked.isdecimal() or not int(asked[:6]) <= len(self.searches):
            return None
        return int(asked[:6])

    def _places(self, chosen: int) -> list[int]:
        return [place for place, _ in self._numbered() if chosen in (_ALL, place)]

    def _reports_of(self, chosen: int) -> Reports:
        if chosen not in self._reports:
            paths = [self.searches[place - 1].directory.path for place in self._places(chosen)]
            self._reports[chosen] = Reports(paths, self.worker)
        return self._reports[chosen]

    def _renew(self, chosen: int, *, at_once: bool = False) -> Reports:
        reports = self._reports_of(chosen)
        searches = [self.searches[place - 1] for place in self._places(chosen)]
        running = any(_is_running(search) for search in searches)
        reports.look([search.version for search in searches], running, at_once=at_once)
        return reports

    def _address_of(self, place: int) -> Callable[[int], str]:
        return lambda number: f"trials/{place}/{number}?{self._query}"


def server_of(page: LivePage) -> uvicorn.Server:
    """The server of a page, which is not started."""
    config = uvicorn.Config(
        page.app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


def serve(page: LivePage, listening: Listening, server: uvicorn.Server | None = None) -> None:
    """Answers until Ctrl-C or SIGTERM, or until the `server` is told to exit.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    try:
        asyncio.run((server or server_of(page)).serve(sockets=[listening.socket]))
    finally:
        page.close()
        listening.socket.close()


def _is_running(search: FollowedSearch) -> bool:
    try:
        return search.status().is_running
    except InputError:
        return False


def _can_go_on(search: FollowedSearch) -> bool:
    try:
        return search.status().can_go_on
    except InputError:
        return False


def _not_found(text: str) -> Response:
    return PlainTextResponse(f"{text}\n", 404, headers=_HEADERS)
