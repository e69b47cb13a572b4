import json

import pytest
from pydantic import BaseModel, ValidationError

from components.secret import REDACTED, Secret, called_secret


class Held(BaseModel):
    password: Secret


def test_never_prints_itself() -> None:
    secret = Secret("hunter2")
    held = Held(password=secret)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", str([secret]), repr(held), held.model_dump_json()]
    assert not [text for text in shown if "hunter2" in text]
    assert str(held.model_dump()["password"]) == REDACTED


def test_is_made_of_text_by_a_model() -> None:
    assert Held.model_validate(json.loads('{"password": "hunter2"}')).password.reveal() == "hunter2"


def test_an_empty_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        Held.model_validate({"password": ""})


def test_equal_by_content_and_only_to_secrets() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_join_keeps_what_it_is_made_of() -> None:
    joined = Secret.join("https://", Secret("user:pw"), "@host")
    assert (joined.reveal(), str(joined)) == ("https://user:pw@host", REDACTED)


@pytest.mark.parametrize(
    "variable", ["DB_PASS", "DB_PASSWORD", "API_KEY", "githubToken", "dbPwd", "DB_PASSWORD_PROD", "API_KEY_2"]
)
def test_a_variable_is_called_a_secret_by_its_last_word(variable: str) -> None:
    assert called_secret(variable, "hunter2")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COMPASS", "north"),
        ("PWD", "srv"),
        ("MAX_TOKENS", 4096),
        ("TOKEN_SECONDS", 60),
        ("PASSWORD_POLICY", "strict"),
        ("TOKEN", ""),
        ("TOKEN", "/run/t"),
    ],
)
def test_no_secret_is_what_only_sounds_like_one_is_empty_or_names_a_file(variable: str, value: object) -> None:
    assert not called_secret(variable, value)
