"""For spark-arrow.mjs: reads the statement's rows by PySpark's own client, each time it is told to, and tells their number."""
import sys

from pyspark.sql import SparkSession

url, sql = sys.argv[1:]
spark = SparkSession.builder.remote(url).getOrCreate()
print("ready", spark.version, flush=True)
for _ in sys.stdin:
    print(spark.sql(sql).toArrow().num_rows, flush=True)
