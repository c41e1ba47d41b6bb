"""Reads many rule files: over both cores where it pays, in the order of their paths always."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context

from sigma.processing.pipeline import ProcessingPipeline

from vigla_rules.drafts import FileDrafts
from vigla_rules.files import RuleFile, read_file
from vigla_rules.pipelines import read_pipeline

POOL_FROM = 300
CHUNK = 40
Progress = Callable[[int, int], None]


def read_files(files: list[RuleFile], pipelines: tuple[str, ...], progress: Progress) -> list[FileDrafts]:
    """Drafts and findings per file, in the order of ``files``. Raises ``UnknownPipelineError`` before any work."""
    read_pipeline(pipelines)
    chunks = [(files[at : at + CHUNK], pipelines) for at in range(0, len(files), CHUNK)]
    workers = min(os.cpu_count() or 1, len(chunks))
    if len(files) < POOL_FROM or workers < 2:
        return _gathered(map(_read_chunk, chunks), len(files), progress)
    # Spawned, not forked: a caller may have threads, and a fork of one of those may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _gathered(pool.map(_read_chunk, chunks), len(files), progress)


def _gathered(chunks: Iterable[list[FileDrafts]], total: int, progress: Progress) -> list[FileDrafts]:
    found: list[FileDrafts] = []
    for chunk in chunks:
        found.extend(chunk)
        progress(len(found), total)
    return found


def _read_chunk(work: tuple[list[RuleFile], tuple[str, ...]]) -> list[FileDrafts]:
    files, pipelines = work
    return list(_read_each(files, lambda: _pipeline(pipelines)))


def _read_each(files: list[RuleFile], pipeline: Callable[[], ProcessingPipeline]) -> Iterator[FileDrafts]:
    for file in files:
        yield read_file(file, pipeline)


@lru_cache(maxsize=4)
def _pipeline(names: tuple[str, ...]) -> ProcessingPipeline:
    """Built once a process: ``apply`` resets a pipeline's state for each rule."""
    return read_pipeline(names)
