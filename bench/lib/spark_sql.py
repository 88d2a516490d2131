"""The peer of engines.mjs: PySpark, over the same server. Each line of standard input is a statement and a folder, as JSON; it is run into Parquet files there."""
import json
import sys
import time

from pyspark.sql import SparkSession

url, views = sys.argv[1], json.loads(sys.argv[2])
spark = SparkSession.builder.remote(url).getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
spark.conf.set("spark.sql.parquet.compression.codec", "zstd")
spark.conf.set("spark.sql.parquet.inferTimestampNTZ.enabled", "true")
for name, files in views.items():
    spark.read.parquet(*files).createOrReplaceTempView(name)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    start = time.perf_counter()
    spark.sql(asked["sql"]).write.parquet(asked["folder"])
    print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000}), flush=True)
