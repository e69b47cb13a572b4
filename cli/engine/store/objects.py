"""A bucket at S3, Google Cloud Storage or Azure, reached with the URL and the variables that Pulumi takes.

Sources: gocloud.dev `aws/aws.go`, `blob/{s3blob,gcsblob,azureblob}` for the URLs' parameters; obstore for the requests.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from obstore import delete, get, put
from obstore import list as listing
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from cli.engine.store.bucket import Object, unreachable
from cli.errors import UsageError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

REQUEST_LIMIT = timedelta(seconds=60)
CONNECT_LIMIT = timedelta(seconds=5)
_RETRY: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
_TRUE = ("true", "1", "t")


@dataclass(frozen=True)
class Address:
    """A backend's URL, taken apart. `prefix` is without slashes at its ends."""

    scheme: str
    bucket: str
    prefix: str
    parameters: Mapping[str, str]

    def on(self, *names: str) -> bool:
        """Whether a parameter of one of these names is set to true."""
        return any(self.parameters.get(name, "").lower() in _TRUE for name in names)


def parse(url: str) -> Address:
    parts = urlsplit(url)
    parameters = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if not parts.netloc:
        raise UsageError(f"{url} names no bucket", next=f"name one: {parts.scheme}://BUCKET/FOLDER")
    return Address(parts.scheme, parts.netloc, parts.path.strip("/"), parameters)


def s3_options(address: Address, variables: Mapping[str, str]) -> dict[str, Any]:
    """What an S3 client needs, as keyword arguments of obstore's S3Store. Secrets are in it: never print it."""
    given = address.parameters
    endpoint = given.get("endpoint") or variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL", "")
    plain = address.on("disable_https", "disableSSL")
    if endpoint and "://" not in endpoint:
        endpoint = f"{'http' if plain else 'https'}://{endpoint}"
    region = given.get("region") or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"
    options: dict[str, Any] = {"region": region, **_s3_keys(given.get("profile", ""), variables)}
    if endpoint:
        options["endpoint"] = endpoint
        options["virtual_hosted_style_request"] = not address.on("s3ForcePathStyle", "use_path_style")
        if options["virtual_hosted_style_request"]:
            options["endpoint"] = endpoint.replace("://", f"://{address.bucket}.", 1)
    if address.on("anonymous"):
        options["skip_signature"] = True
    return options


def _s3_keys(profile: str, variables: Mapping[str, str]) -> dict[str, str]:
    names = {
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    }
    if variables.get("AWS_ACCESS_KEY_ID") and not profile:
        return {name: variables[variable] for name, variable in names.items() if variables.get(variable)}
    file = Path(variables.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    shared = configparser.ConfigParser(interpolation=None)
    shared.read(file)
    section = profile or variables.get("AWS_PROFILE") or "default"
    if not shared.has_section(section):
        return {}
    known = {name: shared.get(section, f"aws_{name}", fallback="") for name in names}
    return {name: value for name, value in known.items() if value}


def azure_options(address: Address, variables: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments of obstore's AzureStore. Secrets are in it: never print it."""
    given = address.parameters
    account = given.get("storage_account") or variables.get("AZURE_STORAGE_ACCOUNT", "")
    options: dict[str, Any] = {"account_name": account}
    if key := variables.get("AZURE_STORAGE_KEY"):
        options["account_key"] = key
    if token := variables.get("AZURE_STORAGE_SAS_TOKEN"):
        options["sas_key"] = token
    return options


class Objects:
    """A bucket, or a folder in one."""

    def __init__(self, url: str, variables: Mapping[str, str]) -> None:
        self._url = url
        self.address = parse(url)
        self._store = _store(self.address, variables)

    @property
    def url(self) -> str:
        return self._url

    def find(self, prefix: str) -> list[Object]:
        """Lists the folder of the prefix: object stores list by whole parts of a key."""
        folder = prefix.rpartition("/")[0]
        try:
            found = [entry for page in listing(self._store, folder) for entry in page]
        except (BaseError, OSError) as error:
            raise self._unreachable(error) from error
        objects = [Object(entry["path"], entry["size"], entry["last_modified"].timestamp()) for entry in found]
        return sorted((entry for entry in objects if entry.key.startswith(prefix)), key=lambda entry: entry.key)

    def read(self, key: str) -> bytes | None:
        try:
            return bytes(get(self._store, key).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._unreachable(error) from error

    def write(self, key: str, data: bytes) -> None:
        try:
            put(self._store, key, data)
        except (BaseError, OSError) as error:
            raise self._unreachable(error) from error

    def delete(self, key: str) -> None:
        try:
            delete(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> Exception:
        words = " ".join(str(error).split("\n", 1)[0].split())
        shown = type(error)(words[:300])
        return unreachable(f"{shown_url(self._url)} does not answer as it should", shown, _ADVICE[self.address.scheme])


def shown_url(url: str) -> str:
    """Without what may be secret in it."""
    return url.partition("?")[0]


def _store(address: Address, variables: Mapping[str, str]) -> S3Store | GCSStore | AzureStore:
    client: ClientConfig = {"timeout": REQUEST_LIMIT, "connect_timeout": CONNECT_LIMIT, "allow_http": True}
    prefix = address.prefix or None
    if address.scheme == "s3":
        options = s3_options(address, variables)
        return S3Store(address.bucket, prefix=prefix, client_options=client, retry_config=_RETRY, **options)
    if address.scheme == "gs":
        return GCSStore(address.bucket, prefix=prefix, client_options=client, retry_config=_RETRY)
    return AzureStore(
        address.bucket, prefix=prefix, client_options=client, retry_config=_RETRY, **azure_options(address, variables)
    )


_ADVICE = {
    "s3": "check the bucket, AWS_REGION and AWS_ACCESS_KEY_ID (SSO: aws configure export-credentials --format env)",
    "gs": "check the bucket and GOOGLE_APPLICATION_CREDENTIALS",
    "azblob": "check the container, AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
}
