"""The tables of a run as CSV (RFC 4180, UTF-8, a header line), safe to open in a spreadsheet.

A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return, in half or
full width, behind blanks or not) gets an apostrophe in front. Texts are always quoted and numbers never, so that an
empty text ("") differs from null (nothing); numbers are written so that reading them gives the same value again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tocsin.records.folder import RunFolderError, write_page

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_END = "\r\n"


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    if text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(_FORMULA):
        return f"'{text}"
    return text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + safe(value).replace('"', '""') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def table_csv(table: pa.Table) -> str:
    """One table as CSV text."""
    lines = [",".join(_cell(name) for name in table.column_names)]
    for batch in table.to_batches(max_chunksize=65_536):
        columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
        lines.extend(",".join(row) for row in zip(*columns, strict=True))
    return _END.join(lines) + _END


def write_csv(tables: Mapping[str, pa.Table], out: Path, *, force: bool = False) -> list[Path]:
    """Write ``<table>.csv`` for every table into the folder ``out``; returns their paths.

    Raises RunFolderError where one of them exists (without ``force``) or cannot be written.
    """
    paths = {name: out / f"{name}.csv" for name in tables}
    if not force:
        for path in paths.values():
            if path.exists():
                raise RunFolderError(f"{path} exists already; choose another folder or replace it with --force")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot write {out}: {(error.strerror or str(error)).lower()}") from error
    return [write_page(out, path.name, table_csv(tables[name])) for name, path in paths.items()]
