"""What other tools make of files: read.py TOOL LIST OUT

LIST is a JSON list of files: {"path", "format", "dialect", "told"}; OUT gets one line of JSON a file: its columns with their values, or the error.
A column has a kind (text, integer, decimal, boolean, date, timestamp, time, nested, mixed); numbers are texts, so that none is rounded.
"""
import datetime
import decimal
import json
import math
import os
import signal
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")


def kind_of(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, (float, decimal.Decimal)):
        return "decimal"
    if isinstance(value, datetime.datetime):
        return "timestamp"
    if isinstance(value, datetime.date):
        return "date"
    if isinstance(value, datetime.time):
        return "time"
    if isinstance(value, (dict, list, tuple)):
        return "nested"
    return "text"


def plain(value, nested=False):
    """A value as JSON; not-a-number is no value, as the tool itself has it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item") and not isinstance(value, (dict, list, tuple, str)):
        value = value.item()
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(part, True) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, True) for part in value]
    if isinstance(value, (int, float)):
        return value if nested else repr(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        if isinstance(value, datetime.datetime) and value.tzinfo:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat()
    return str(value)


def column(name, values):
    values = [value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value for value in values]
    kinds = {kind_of(value) for value in values if value is not None and not (isinstance(value, float) and math.isnan(value))}
    kind = "text" if not kinds else kinds.pop() if len(kinds) == 1 else "decimal" if kinds == {"integer", "decimal"} else "mixed"
    return {"name": str(name), "kind": kind, "values": [plain(value) for value in values]}


def pandas(file):
    import pandas as pd

    if file["format"] == "json":
        frame = pd.read_json(file["path"])
    else:
        frame = pd.read_csv(file["path"], **(pandas_options(file["dialect"]) if file["told"] else {}))
    return frame_columns(frame)


def frame_columns(frame):
    import pandas as pd

    columns = []
    for index, name in enumerate(frame.columns):
        series = frame.iloc[:, index]
        values = [None if value is pd.NaT or value is pd.NA else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in series.tolist()]
        columns.append(column(name, values))
    return columns


def pandas_options(dialect):
    options = {"sep": dialect["delimiter"], "encoding": dialect.get("encoding", "utf-8"), "skiprows": dialect.get("skipLines", 0), "comment": dialect.get("comment"),
               "skipinitialspace": dialect.get("initialSpace", False), "escapechar": dialect.get("escape")}
    if not dialect.get("header", True):
        options["header"] = None
    if dialect.get("quote") == "":
        options["quoting"] = 3
    return options


def polars(file):
    import polars as pl

    if file["format"] == "json":
        frame = pl.read_json(file["path"])
    else:
        frame = pl.read_csv(file["path"], **(polars_options(file["dialect"]) if file["told"] else {}))
    return [column(name, frame[name].to_list()) for name in frame.columns]


def polars_options(dialect):
    options = {"separator": dialect["delimiter"], "has_header": dialect.get("header", True), "skip_lines": dialect.get("skipLines", 0), "comment_prefix": dialect.get("comment")}
    if dialect.get("encoding"):
        options["encoding"] = dialect["encoding"]
    if dialect.get("quote") == "":
        options["quote_char"] = None
    return options


def duckdb(file):
    import duckdb

    connection = duckdb.connect()
    function = {"json": "read_json_auto", "csv": "read_csv_auto", "parquet": "read_parquet"}[file["format"]]
    paths = file["path"] if isinstance(file["path"], list) else [file["path"]]
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in file.get("names", [])) or "*"
    return duckdb_columns(connection.execute(f"SELECT {names} FROM {function}({paths!r})"))


def duckdb_columns(result):
    description = result.description
    rows = result.fetchall()
    columns = []
    for index, (name, kind, *_) in enumerate(description):
        values = [row[index] for row in rows]
        if str(kind) == "JSON":
            values = [None if value is None else json.loads(value) for value in values]
        columns.append(column(name, values))
    return columns


def dlt(file):
    import dlt
    import duckdb
    from dlt.sources.filesystem import filesystem, read_csv

    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "store.duckdb")
        pipeline = dlt.pipeline("messy", destination=dlt.destinations.duckdb(database), dataset_name="data", pipelines_dir=os.path.join(folder, "pipelines"))
        if file["format"] == "json":
            with open(file["path"], encoding="utf-8") as opened:
                pipeline.run(json.load(opened), table_name="rows")
        else:
            place, name = os.path.split(file["path"])
            resource = filesystem("file://" + place, file_glob=name.replace("(", "[(]").replace(")", "[)]")) | read_csv()
            pipeline.run(resource.with_name("rows"))
        connection = duckdb.connect(database)
        tables = [row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'data'").fetchall()]
        columns = duckdb_columns(connection.execute("SELECT * EXCLUDE (_dlt_load_id, _dlt_id) FROM data.rows ORDER BY rowid"))
        records = len(columns[0]["values"])
        spread = {table.split("__")[1] for table in tables if table.startswith("rows__")} | {each["name"].split("__")[0] for each in columns if "__" in each["name"] and file["format"] == "json"}
        connection.close()
    columns = without_variants(columns)
    whole = [each for each in columns if file["format"] != "json" or "__" not in each["name"]]
    return whole + [{"name": name, "kind": "spread", "values": [None] * records} for name in sorted(spread - {each["name"] for each in whole})]


def without_variants(columns):
    """dlt puts values of another type beside a column (`name__v_text`), and such rows into other places: the file's values are not compared."""
    bases = {each["name"].split("__v_")[0] for each in columns if "__v_" in each["name"]}
    if not bases:
        return columns
    return [{**each, "kind": "apart" if each["name"] in bases else "spread"} for each in columns if "__v_" not in each["name"]]


def give_up(*_):
    raise TimeoutError("no answer after five minutes")


tool, listed, out = sys.argv[1:]
signal.signal(signal.SIGALRM, give_up)
with open(listed, encoding="utf-8") as opened, open(out, "w", encoding="utf-8") as written:
    for file in json.load(opened):
        signal.alarm(300)
        try:
            answer = {"columns": {"pandas": pandas, "polars": polars, "duckdb": duckdb, "dlt": dlt}[tool](file)}
        except Exception as error:  # whatever a tool refuses with is its answer
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        signal.alarm(0)
        written.write(json.dumps(answer) + "\n")
        written.flush()
