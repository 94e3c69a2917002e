import pytest

from common.errors import UserError
from common.machine.secrets import check_no_secret, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:s3cret@host/runs", "postgresql://me:***@host/runs"),
        ("postgresql+psycopg://me:s3/cr@et@host/runs", "postgresql+psycopg://me:***@host/runs"),
        ("postgresql://host/runs?user=me&password=s3cret", "postgresql://host/runs?user=me&password=***"),
        ("https://s3cret@github.com/me/it.git", "https://***@github.com/me/it.git"),
        ("s3a://AKIA:s3cret@bucket/x.csv", "s3a://AKIA:***@bucket/x.csv"),
        (
            "https://host/x.csv?X-Amz-Credential=s3cret&X-Amz-Signature=s3cret&n=1",
            "https://host/x.csv?X-Amz-Credential=***&X-Amz-Signature=***&n=1",
        ),
        ("https://host/x.csv?sv=1&sig=s3cret", "https://host/x.csv?sv=1&sig=***"),
        (
            "cannot reach 'http://me:s3cret@host:5000/api', nor 'http://a:s3cret@b'",
            "cannot reach 'http://me:***@host:5000/api', nor 'http://a:***@b'",
        ),
    ],
)
def test_secret_of_a_uri_is_left_out(text, shown):
    assert masked(text) == shown
    assert "s3cret" not in masked(text)
    with pytest.raises(UserError, match="contains a password or token") as refused:
        check_no_secret("source", text)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////home/me/mlflow.db",
        "postgresql://me@host:5432/runs",
        "http://127.0.0.1:5000/#/experiments/0",
        "models:/income@champion",
        "file:///data/a@b/x y.csv",
        "https://host/x.csv?download=1",
        "s3://bucket/key:1@2",
        "hdfs://host:8020/data",
    ],
)
def test_uri_without_a_secret_is_left_as_it_is(text):
    assert masked(text) == text
    check_no_secret("source", text)
