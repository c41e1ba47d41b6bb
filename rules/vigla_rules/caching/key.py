"""What a file's drafts depend on, as one hash: its bytes and name, the pipelines, the parser and this compiler."""

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vigla_rules
from vigla_rules.files import RuleFile
from vigla_rules.pipeline_names import INSTALLED, pipeline_file

_PARSERS = ("pysigma", "PyYAML", "pyparsing")


def base_key(pipelines: tuple[str, ...]) -> bytes:
    """The part that all files of a run share; raises ``UnknownPipelineError``."""
    joined = hashlib.sha256(compiler_version().encode())
    for name in (*_PARSERS, *(INSTALLED[name].distribution for name in pipelines if name in INSTALLED)):
        joined.update(f"\0{name} {_version(name)}".encode())
    for name in pipelines:
        content = name.encode() if name in INSTALLED else hashlib.sha256(pipeline_file(name)).digest()
        joined.update(b"\0" + content)
    return joined.digest()


def file_key(base: bytes, file: RuleFile) -> bytes:
    """The key of one file. Its name counts: a rule without a name is called by it."""
    name = file.relative.encode(errors="surrogateescape")
    return hashlib.sha256(base + hashlib.sha256(name).digest() + hashlib.sha256(file.data).digest()).digest()


@lru_cache(maxsize=1)
def compiler_version() -> str:
    """Hash of this package's own sources and of the Python that runs them: no number that one could forget to raise."""
    root = Path(vigla_rules.__file__).parent
    joined = hashlib.sha256(platform.python_version().encode())
    for path in sorted(root.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).digest()
        joined.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
    return joined.hexdigest()


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"
