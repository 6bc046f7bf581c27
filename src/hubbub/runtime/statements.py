"""SQLAlchemy's statements on the driver's own connections: compiled once, sent and read without layers between.

Through SQLAlchemy's own connection a small query costs about 0.44 ms of CPU, here 0.2 ms, and 0.1 ms where the
statement is a `Ready` one (bench/RESULTS.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as make_dialect
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.util import LRUCache

COMPILED_KEPT = 1000


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_dialect: Any = make_dialect(json_serializer=_to_json, json_deserializer=msgspec.json.decode)
_compiled: Any = LRUCache(COMPILED_KEPT)


class Row(asyncpg.Record):
    """One row: `row.name`, `row["name"]`, `row[0]`, or unpacked. A mapping of its columns as well."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Ready:
    """A statement that never changes but for its bound parameters: compiled when it is first used.

    Its parameters are `sa.bindparam`s, given by name; none of them stands for a list.
    """

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._order: list[tuple[str, Any]] | None = None
        self._own: dict[str, Any] = {}
        self.sql = ""
        self.returns_rows = True

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """What is sent, in its order."""
        order = self._order if self._order is not None else self._compile()
        own = self._own
        return [
            process(parameters[name]) if process else own[name] if name in own else parameters[name]
            for name, process in order
        ]

    def _compile(self) -> list[tuple[str, Any]]:
        compiled: Any = self.statement.compile(dialect=_dialect)
        self.sql, self.returns_rows = compiled.string, _returns_rows(compiled)
        self._own = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
        self._order = [
            (name, None if name in self._own else compiled._bind_processors.get(name))
            for name in compiled.positiontup
        ]
        return self._order


@cache
def insertion(table: sa.Table, names: frozenset[str]) -> Ready:
    """Puts one row with these columns into a table; returns it whole."""
    given = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    return Ready(sa.insert(table).values(given).returning(table))


@cache
def insertion_of_rows(table: sa.Table, names: frozenset[str]) -> Ready:
    """Puts `rows`, a list of dicts with just these columns, into a table at once; returns them whole, in no order."""
    columns = [table.c[name] for name in sorted(names)]
    rows: Any = sa.func.jsonb_to_recordset(sa.bindparam("rows", type_=JSONB))
    given = rows.table_valued(*(sa.column(column.name, column.type) for column in columns), name="given")
    query = sa.select(*given.render_derived(with_types=True).c)
    return Ready(sa.insert(table).from_select(columns, query).returning(table))


class Result:
    """What a statement gave: its rows, and how many it changed."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int = -1) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return list(self._rows)

    def mappings(self) -> Result:
        """The same: a row is a mapping too."""
        return self

    def scalars(self) -> Result:
        """The first column alone."""
        return Result([row[0] for row in self._rows])

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("one row was expected, and there is none")
        return row

    def one_or_none(self) -> Any:
        if len(self._rows) > 1:
            raise MultipleResultsFound("one row was expected, and there are several")
        return self._rows[0] if self._rows else None

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        row = self.one_or_none()
        return None if row is None else row[0]


class Connection:
    """One connection inside its transaction. Failures are SQLAlchemy's DBAPIError."""

    __slots__ = ("driver",)

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    async def execute(
        self, statement: Any, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result:
        """Run a statement of SQLAlchemy's, or a Ready one; with a list of parameters, once for each of them."""
        if isinstance(statement, Ready):
            if isinstance(parameters, list):
                many = [statement.values(each) for each in parameters]
                return await self._many(statement.sql, many)
            values = statement.values(parameters or {})  # pyright: ignore[reportArgumentType]
            return await self._run(statement.sql, values, statement.returns_rows)
        if isinstance(parameters, Sequence):
            return await self._each(statement, parameters)
        compiled, extracted = _compile(statement, sorted(parameters or ()), many=False)
        sql, values = _bound(
            compiled, compiled.construct_params(parameters or {}, extracted_parameters=extracted)
        )
        return await self._run(sql, values, _returns_rows(compiled))

    async def scalar(self, statement: Any) -> Any:
        return (await self.execute(statement)).scalar()

    async def exec_driver_sql(self, sql: str, values: Iterable[Any] = ()) -> Result:
        """Run SQL as it is, with `$1`, `$2` … for its values."""
        return await self._run(sql, list(values), True)

    async def _each(self, statement: Any, parameters: Sequence[Mapping[str, Any]]) -> Result:
        compiled, extracted = _compile(statement, sorted(parameters[0]), many=True)
        return await self._many(
            compiled.string,
            [
                _bound(compiled, compiled.construct_params(each, extracted_parameters=extracted))[1]
                for each in parameters
            ],
        )

    async def _many(self, sql: str, values: list[list[Any]]) -> Result:
        try:
            await self.driver.executemany(sql, values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
            raise DBAPIError(sql, None, failure) from failure
        return Result(())

    async def _run(self, sql: str, values: list[Any], returns_rows: bool) -> Result:
        try:
            if returns_rows:
                rows = await self.driver.fetch(sql, *values)
                return Result(rows, len(rows))
            status = await self.driver.execute(sql, *values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
            raise DBAPIError(sql, None, failure) from failure
        return Result((), int(status.rpartition(" ")[2]) if status[-1:].isdecimal() else -1)


def _compile(statement: Any, names: list[str], *, many: bool) -> tuple[Any, Any]:
    """The statement compiled, from SQLAlchemy's own kind of cache, and the values it holds itself."""
    compiled, extracted, *_ = statement._compile_w_cache(
        _dialect, compiled_cache=_compiled, column_keys=names, for_executemany=many
    )
    return compiled, extracted


def _bound(compiled: Any, parameters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL, and its values in their order. Lists (`IN`) are unfolded."""
    sql, order, processors = compiled.string, compiled.positiontup, compiled._bind_processors
    if compiled.literal_execute_params or compiled.post_compile_params:
        expanded = compiled._process_parameters_for_postcompile(parameters)
        parameters = {**parameters, **expanded.parameters}
        sql, order = expanded.statement, expanded.positiontup
        processors = {**processors, **expanded.processors}
    return sql, [
        processors[name](parameters[name]) if name in processors else parameters[name] for name in order
    ]


def _returns_rows(compiled: Any) -> bool:
    return (not compiled.isinsert and not compiled.isupdate and not compiled.isdelete) or bool(
        compiled.effective_returning
    )
