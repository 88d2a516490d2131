"""Writes the rows of a query over a Parquet file as an Arrow stream into memory that is counted and let go, once for each line it reads."""
import sys

import duckdb
import pyarrow

statement, threads = sys.argv[1:]
connection = duckdb.connect(config={"threads": threads})


class Counter:
    closed = False

    def __init__(self):
        self.bytes = 0

    def write(self, data):
        self.bytes += len(data)
        return len(data)

    def flush(self):
        pass


def answer():
    sink = Counter()
    reader = connection.sql(statement).fetch_arrow_reader(65536)
    with pyarrow.ipc.new_stream(pyarrow.PythonFile(sink, "w"), reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return sink.bytes


print("ready", flush=True)
for _ in sys.stdin:
    print(answer(), flush=True)
