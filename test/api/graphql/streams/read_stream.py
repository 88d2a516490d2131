"""Reads the same rows as Arrow by pyarrow and by polars, and as NDJSON by polars; prints their types and values as JSON."""
import base64, datetime, decimal, json, sys, urllib.request

import polars
import pyarrow.ipc

url, query = sys.argv[1:]


def ask(accept):
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json", "accept": accept})
    return urllib.request.urlopen(request)


def plain(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + ("Z" if value.tzinfo else "")
    if isinstance(value, (datetime.date, datetime.time, decimal.Decimal)):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


with pyarrow.ipc.open_stream(ask("application/vnd.apache.arrow.stream")) as reader:
    table = reader.read_all()
table.validate(full=True)
frame = polars.read_ipc_stream(ask("application/vnd.apache.arrow.stream").read())
lines = polars.read_ndjson(ask("application/x-ndjson").read())
print(json.dumps({
    "types": {field.name: str(field.type) for field in table.schema},
    "rows": [plain(row) for row in table.to_pylist()],
    "polars": {"types": [str(kind) for kind in frame.dtypes], "rows": [plain(row) for row in frame.to_dicts()]},
    "lines": {"columns": lines.columns, "rows": lines.height},
}))
