"""Loads a CSV file into DuckDB each time it is told to: load-with-dlt.py READER FILE FOLDER"""
import os
import sys

import dlt
import dlt.sources.filesystem as source

reader, file, folder = sys.argv[1:]
place, name = os.path.split(file)
print("ready", flush=True)
for number, _ in enumerate(sys.stdin):
    database = os.path.join(folder, f"{reader}_{number}.duckdb")
    pipeline = dlt.pipeline(f"{reader}_{number}", destination=dlt.destinations.duckdb(database), dataset_name="data", pipelines_dir=os.path.join(folder, "pipelines"))
    resource = source.filesystem("file://" + place, file_glob=name) | getattr(source, reader)()
    pipeline.run(resource.with_name("orders")).raise_on_failed_jobs()
    print("done", flush=True)
