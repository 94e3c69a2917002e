"""A frame's rows as Arrow's record batches for the Python workers that Spark's own jobs use.

Spark runs a Python function of SQL in other workers, which would first load the same libraries.
"""

import pyarrow as pa
from pyspark import RDD
from pyspark.serializers import NoOpSerializer
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema


def arrow_batches(frame: DataFrame) -> tuple[RDD[bytes], pa.Schema]:
    """Return a frame as record batches without their schema, which `table_of` reads, and the schema."""
    java = frame._jdf.toArrowBatchRdd().toJavaRDD()
    batches: RDD[bytes] = RDD(java, frame.sparkSession.sparkContext, NoOpSerializer())
    return batches, to_arrow_schema(frame.schema)


def table_of(batch: bytes, schema: pa.Schema) -> pa.Table:
    """Return one of these batches as a table."""
    return pa.Table.from_batches([pa.ipc.read_record_batch(pa.py_buffer(batch), schema)])
