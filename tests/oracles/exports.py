"""Opens an export (argv[1]: a folder with csv/, parquet/ and jsonl/) in DuckDB and pandas: documented types, equal contents, the views of
docs/tables.sql (argv[2]). Exits with a message on the first thing that does not hold."""

import csv
import math
import pathlib
import sys

import duckdb
import pandas

folder, sql = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
dictionary = list(csv.DictReader(open(folder / "parquet/columns.csv", encoding="utf-8")))
tables = {row["table"]: {r["column"]: r["type"] for r in dictionary if r["table"] == row["table"]} for row in dictionary}
DUCKDB = {"text": "VARCHAR", "whole": "BIGINT", "decimal": "DOUBLE", "truth": "BOOLEAN"}
CSV = {"text": "str", "whole": "Int64", "decimal": "float64", "truth": "boolean"}


def equal(a, b):
    if pandas.isna(a) or pandas.isna(b):
        # CSV and pandas do not tell empty text from none.
        return (pandas.isna(a) or a == "") and (pandas.isna(b) or b == "")
    return math.isclose(a, b) if isinstance(a, float) or isinstance(b, float) else a == b


assert tables, "no table is documented"
database = duckdb.connect()
for table, columns in tables.items():
    path = folder / "parquet" / f"{table}.parquet"
    found = {row[0]: row[1] for row in database.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
    assert found == {name: DUCKDB[kind] for name, kind in columns.items()}, (table, found)
    parquet = pandas.read_parquet(path)
    types = {name: CSV[kind] for name, kind in columns.items()}
    text = pandas.read_csv(folder / "csv" / f"{table}.csv", dtype=types, encoding="utf-8-sig")
    lines = pandas.read_json(folder / "jsonl" / f"{table}.jsonl", lines=True, dtype=False) if len(parquet) else parquet
    assert list(text.columns) == list(columns) == list(parquet.columns), table
    assert len(text) == len(parquet) == len(lines), (table, len(text), len(parquet), len(lines))
    for name in columns:
        for a, b, c in zip(parquet[name], text[name], lines[name]):
            # Spreadsheets would run text that begins like a formula: CSV has an apostrophe before it.
            b = b[1:] if isinstance(b, str) and b != a and b.startswith("'") else b
            assert equal(a, b) and equal(a, c), (table, name, a, b, c)

script = sql.read_text(encoding="utf-8")
loaded = duckdb.connect(str(folder / "tables.db"))
for line in script.splitlines():
    # psql's \copy is DuckDB's COPY.
    if line.startswith("\\copy "):
        table = line.split()[1]
        loaded.execute(f"COPY {table} FROM '{folder / 'csv' / (table.split('.')[1] + '.csv')}' (FORMAT csv, HEADER true)")
        continue
    if line.startswith("--") or not line.strip():
        continue
    loaded.execute(line)
for table in tables:
    expected = len(pandas.read_parquet(folder / "parquet" / f"{table}.parquet"))
    assert loaded.sql(f"SELECT count(*) FROM callmark.{table}").fetchall()[0][0] == expected, table
for (view,) in loaded.sql("SELECT view_name FROM duckdb_views() WHERE schema_name = 'callmark'").fetchall():
    assert loaded.sql(f"SELECT count(*) FROM callmark.{view}").fetchall()[0][0] > 0, f"the view {view} is empty"
print("ok")
