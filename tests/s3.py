"""An S3-compatible store on loopback: moto's server, in this process."""

from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIATESTONLY", "not-to-be-shown-9f8e7d"
BUCKET = "runs"


@contextmanager
def s3_store():
    """Make MLflow use an empty bucket for s3://; yields its URI."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (
                ("AWS_ACCESS_KEY_ID", KEY),
                ("AWS_SECRET_ACCESS_KEY", SECRET),
                ("AWS_DEFAULT_REGION", "us-east-1"),
                ("MLFLOW_S3_ENDPOINT_URL", f"http://{host}:{port}"),
            ):
                environment.setenv(name, value)
            boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
            yield f"s3://{BUCKET}"
    finally:
        server.stop()
