"""Embedded text: the standard library's own documentation, read at run time.

Every Python carries it, so a language model can be trained with neither files nor a
network. The same Python version gives the same text. This module needs no model.
"""

import contextlib
import importlib
import inspect
import warnings
from collections.abc import Iterator
from types import ModuleType

# Importing them does nothing but define names.
MODULES = (
    "abc argparse array ast asyncio base64 bisect calendar cmath codecs collections "
    "collections.abc concurrent.futures configparser contextlib copy csv dataclasses "
    "datetime decimal difflib dis doctest email.message enum errno fileinput fnmatch "
    "fractions functools getopt getpass gettext glob graphlib gzip hashlib heapq hmac "
    "html http.client http.server imaplib inspect io ipaddress itertools json keyword "
    "linecache locale logging logging.handlers lzma mailbox math mimetypes "
    "multiprocessing.pool numbers operator optparse os os.path pathlib pickle "
    "pickletools pkgutil platform plistlib poplib pprint profile pstats pydoc queue "
    "random re reprlib sched secrets selectors shelve shlex shutil signal smtplib "
    "socket socketserver sqlite3 ssl stat statistics string struct subprocess sys "
    "tarfile tempfile textwrap threading time timeit token tokenize trace traceback "
    "tracemalloc types typing unicodedata unittest unittest.case unittest.mock "
    "urllib.parse urllib.request uuid warnings wave weakref xml.dom.minidom "
    "xml.etree.ElementTree xmlrpc.client zipfile zlib "
).split()
BUILT_IN = "builtins"


class PythonDocs:
    """The documentation strings of the standard library, as blocks of text.

    Re-iterable; each block is one module's: its own string, then those of its public
    functions, classes and methods in the order of their names, each string once.

    Example:

    >>> text = "".join(PythonDocs())
    >>> "Return True if S starts with" in text or "starts with" in text
    True
    """

    def __str__(self) -> str:
        return "the standard library's documentation"

    def __iter__(self) -> Iterator[str]:
        found: set[str] = set()
        for name in (BUILT_IN, *MODULES):
            docs = []
            with contextlib.suppress(ImportError):  # a Python built without it
                docs = list(_docs_of(importlib.import_module(name), found))
            if docs:
                yield "\n\n".join(docs) + "\n\n"


def _docs_of(module: ModuleType, found: set[str]) -> Iterator[str]:
    for name, thing in [("", module), *_public(module)]:
        members = [(name, thing)]
        if inspect.isclass(thing):
            members += [(f"{name}.{n}", member) for n, member in _public(thing)]
        for full_name, member in members:
            doc = _own_doc(member)
            # Short ones name a thing and say nothing of it.
            if doc and len(doc) >= 40 and doc not in found:
                found.add(doc)
                yield f"{full_name}\n{doc}" if full_name else doc


def _public(thing: object) -> list[tuple[str, object]]:
    """Public members by name; those that only this machine's state explains are out."""
    found = []
    for name in sorted(vars(thing)):
        member = vars(thing)[name]
        described = inspect.isroutine(member) or isinstance(member, type | property)
        if not name.startswith("_") and described:
            found.append((name, member))
    return found


def _own_doc(thing: object) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some names say that they are going
        doc = getattr(thing, "__doc__", None)
    return inspect.cleandoc(doc).strip() if isinstance(doc, str) else None
