import json

import pytest
from pydantic import BaseModel, ValidationError

from components.secret import REDACTED, Secret


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
