"""What a bucket's URL and the variables mean, as Pulumi understands them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.engine.store import objects
from cli.errors import UsageError

KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
OWN = {"access_key_id": "id", "secret_access_key": "key"}


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("s3://b", KEYS, {"region": "us-east-1", **OWN}),
        ("s3://b?region=eu-central-1", {**KEYS, "AWS_REGION": "x"}, {"region": "eu-central-1", **OWN}),
        ("s3://b", {**KEYS, "AWS_SESSION_TOKEN": "t"}, {"region": "us-east-1", **OWN, "session_token": "t"}),
        (
            "s3://b?endpoint=http://h:9&s3ForcePathStyle=true",
            {**KEYS, "AWS_DEFAULT_REGION": "r"},
            {"region": "r", **OWN, "endpoint": "http://h:9", "virtual_hosted_style_request": False},
        ),
        (
            "s3://b?endpoint=h:9&disableSSL=true&use_path_style=true",
            KEYS,
            {"region": "us-east-1", **OWN, "endpoint": "http://h:9", "virtual_hosted_style_request": False},
        ),
        (
            "s3://b?endpoint=h",
            KEYS,
            {"region": "us-east-1", **OWN, "endpoint": "https://b.h", "virtual_hosted_style_request": True},
        ),
    ],
)
def test_s3_urls_mean_what_pulumi_means(url: str, variables: dict[str, str], expected: dict[str, object]) -> None:
    assert objects.s3_options(objects.parse(url), variables) == expected


def test_keys_of_a_profile_are_read_from_the_shared_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = a\n[ops]\naws_access_key_id = o\naws_secret_access_key = s%1\n")
    variables = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    assert objects.s3_options(objects.parse("s3://b"), variables)["access_key_id"] == "a"
    found = objects.s3_options(objects.parse("s3://b?profile=ops"), {**variables, **KEYS})
    assert (found["access_key_id"], found["secret_access_key"]) == ("o", "s%1")
    assert "access_key_id" not in objects.s3_options(objects.parse("s3://b?profile=none"), variables)


def test_azure_and_prefixes() -> None:
    address = objects.parse("azblob://container/a/b/?storage_account=acme")
    assert (address.bucket, address.prefix) == ("container", "a/b")
    assert objects.azure_options(address, {"AZURE_STORAGE_KEY": "k", "AZURE_STORAGE_ACCOUNT": "x"}) == {
        "account_name": "acme",
        "account_key": "k",
    }
    with pytest.raises(UsageError, match="names no bucket"):
        objects.parse("s3://")


def test_a_bucket_that_does_not_answer_is_told_without_what_is_secret() -> None:
    store = objects.Objects("s3://b/p?endpoint=http://127.0.0.1:1&s3ForcePathStyle=true", KEYS)
    with pytest.raises(Exception, match=r"s3://b/p does not answer") as caught:
        store.read("x")
    assert "AWS_ACCESS_KEY_ID" in str(caught.value) and "key" not in str(caught.value).lower().split("next:")[0]
