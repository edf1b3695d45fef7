"""Putting an object only where nobody has changed it meanwhile: the one thing that pyarrow's S3 cannot do.

botocore can, finds the same credentials and regions as pyarrow, and stands below all of Amazon's own tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from wrn_search.results.s3_copy.object_store import ObjectStore

_SECONDS = 20  # for a connection, and for an answer


class ChangedMeanwhileError(OSError):
    """The object is not, or no longer, the one that was to be replaced."""


def tagged(store: ObjectStore, name: str) -> tuple[bytes, str] | None:
    """(content, entity tag) of an object; None where there is none.

    Raises:
        OSError: the store does not answer, or does not let us in.
    """
    client, place = _client(store, name)
    with _errors():
        try:
            answer = client.get_object(**place)
            return answer["Body"].read(), answer["ETag"]
        except client.exceptions.NoSuchKey:
            return None


def put_if(store: ObjectStore, name: str, content: bytes, tag: str | None) -> str:
    """Writes an object whose entity tag is `tag`, None: that is not there yet. Returns its new one.

    Raises:
        ChangedMeanwhileError: it has another one.
        OSError: it could not be stored.
    """
    client, place = _client(store, name)
    condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
    with _errors():
        return str(client.put_object(**place, Body=content, **condition)["ETag"])


def _client(store: ObjectStore, name: str) -> tuple[Any, dict[str, str]]:
    """botocore's client for a store, and where an object lies in it.

    The address is pyarrow's: `endpoint_override`, `scheme` and `region` may stand behind a question mark.
    """
    parts = urlsplit(store.address)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint_override")
    if endpoint is not None and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    bucket, _, folder = store.root.partition("/")
    client = _client_at(endpoint, options.get("region") or store.region)
    return client, {"Bucket": bucket, "Key": f"{folder}/{name}"}


@lru_cache(maxsize=4)
def _client_at(endpoint: str | None, region: str | None) -> Any:
    """A client, whose making takes 0.4 s."""
    import botocore.config
    import botocore.session

    config = botocore.config.Config(
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
        retries={"total_max_attempts": 3},
        s3={"addressing_style": "path"} if endpoint else None,
    )
    with _errors():
        return botocore.session.get_session().create_client(
            "s3", endpoint_url=endpoint, region_name=region, config=config
        )


@contextmanager
def _errors() -> Iterator[None]:
    """botocore's exceptions as those of a file system."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        # 409: another conditional put of the same object is under way.
        if error.response["Error"]["Code"] in (
            "PreconditionFailed",
            "ConditionalRequestConflict",
            "NoSuchKey",
            "412",
        ):
            raise ChangedMeanwhileError(str(error)) from None
        raise OSError(str(error)) from None
    except BotoCoreError as error:
        raise OSError(str(error)) from None
