"""Reads many rule files: from the cache what did not change, the rest over all cores where it pays.

The order is that of the files always, whatever came from where. pySigma is imported only where a file must be parsed.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from typing import TYPE_CHECKING

from vigla_rules.caching.cache import DraftCache
from vigla_rules.caching.codec import decode, encode
from vigla_rules.caching.key import base_key, file_key
from vigla_rules.drafts import FileDrafts
from vigla_rules.files import RuleFile

if TYPE_CHECKING:
    from sigma.processing.pipeline import ProcessingPipeline

POOL_FROM = 300
CHUNK = 20
Progress = Callable[[int, int], None]


def read_files(
    files: list[RuleFile],
    pipelines: tuple[str, ...],
    progress: Progress,
    *,
    cache: DraftCache | None = None,
    workers: int | None = None,
) -> list[FileDrafts]:
    """Drafts and findings per file, in the order of ``files``. Raises ``UnknownPipelineError`` before any work.

    ``workers``: processes; default one for each core where there are many files.
    """
    base = base_key(pipelines)
    keys = [file_key(base, file) for file in files] if cache is not None else []
    found = _cached(files, keys, cache) if cache is not None else {}
    missing = [file for at, file in enumerate(files) if at not in found]
    places = [at for at in range(len(files)) if at not in found]
    done = len(found)
    progress(done, len(files))
    fresh: dict[bytes, bytes] = {}
    for place, (drafts, content) in zip(places, _parsed(missing, pipelines, workers), strict=True):
        found[place] = drafts
        done += 1
        if cache is not None:
            fresh[keys[place]] = encode(drafts) if content is None else content
        if done % CHUNK == 0 or done == len(files):
            progress(done, len(files))
    if cache is not None:
        cache.put(fresh)
    return [found[at] for at in range(len(files))]


def _cached(files: list[RuleFile], keys: list[bytes], cache: DraftCache) -> dict[int, FileDrafts]:
    held = cache.get(keys)
    found = {}
    for at, (file, key) in enumerate(zip(files, keys, strict=True)):
        if (content := held.get(key)) is not None:
            try:
                found[at] = decode(content, file.path)
            except ValueError as error:
                cache.complain(f"an entry cannot be read ({error})")
    return found


def _parsed(
    files: list[RuleFile], pipelines: tuple[str, ...], workers: int | None
) -> Iterator[tuple[FileDrafts, bytes | None]]:
    """The drafts, and their encoded form where a worker sent it."""
    if not files:
        return
    from vigla_rules.pipelines import read_pipeline  # pySigma, only where it is needed

    read_pipeline(pipelines)  # a bad one is said before any process starts
    chunks = [(files[at : at + CHUNK], pipelines) for at in range(0, len(files), CHUNK)]
    processes = min(workers or ((os.cpu_count() or 1) if len(files) >= POOL_FROM else 1), len(chunks))
    if processes < 2:
        for chunk in chunks:
            yield from ((drafts, None) for drafts in _read_chunk(chunk))
        return
    # Spawned, not forked: a caller may have threads, and a fork of one of those may hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for (some, _), contents in zip(chunks, pool.map(_encode_chunk, chunks), strict=True):
            yield from ((decode(content, file.path), content) for file, content in zip(some, contents, strict=True))


def _encode_chunk(work: tuple[list[RuleFile], tuple[str, ...]]) -> list[bytes]:
    """In a worker: the same form that the cache keeps."""
    return [encode(drafts) for drafts in _read_chunk(work)]


def _read_chunk(work: tuple[list[RuleFile], tuple[str, ...]]) -> list[FileDrafts]:
    from vigla_rules.drafting import read_file

    files, pipelines = work
    return [read_file(file, lambda: _pipeline(pipelines)) for file in files]


@lru_cache(maxsize=4)
def _pipeline(names: tuple[str, ...]) -> "ProcessingPipeline":
    """Built once a process: ``apply`` resets a pipeline's state for each rule."""
    from vigla_rules.pipelines import read_pipeline

    return read_pipeline(names)
