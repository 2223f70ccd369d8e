from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from netlearn.activations import ACTIVATIONS
from netlearn.custom_cost import KNOWN
from netlearn.errors import NetlearnError, SettingsError
from netlearn.network import INITIALIZERS, Network
from netlearn.optimizers import OPTIMIZERS
from netlearn.runs import read_config
from netlearn.settings import (
    CHOICES,
    FIELDS,
    IN_FILES,
    Settings,
    check,
    must_be,
    number_type,
    read_toml,
    resolve,
    write_toml,
)
from netlearn.text import decode_toml
from tests.messages import has_facts

INITIALIZER = "must be scaled, large or two numbers [w, b]"


def test_defaults_are_the_books_cross_entropy_network() -> None:
    assert resolve() == Settings(
        cost="cross-entropy", hidden=(30,), activation="sigmoid", initializer="scaled", epochs=30, batch_size=10,
        learning_rate=0.5, l2=0.0, patience="off", seed=0, data="auto", train_size="all", dtype="float32",
    )  # fmt: skip


def test_optimizer_has_its_own_defaults_and_learning_rate() -> None:
    adam = resolve({"optimizer": "adam"})
    own = (adam.momentum, adam.beta1, adam.beta2, adam.epsilon)
    assert (adam.learning_rate, *own) == (0.001, "off", 0.9, 0.999, 1e-8)
    slow = resolve({"optimizer": "momentum", "cost": "quadratic", "momentum": 0.5})
    assert (slow.learning_rate, slow.momentum, slow.beta1) == (1.5, 0.5, "off")


def test_settings_of_one_optimizer_can_be_switched_off_for_another() -> None:
    layers = {"optimizer": "momentum", "momentum": 0.8}, {"optimizer": "rmsprop"}
    with pytest.raises(SettingsError, match=r"^momentum 0\.8: applies only to .* momentum or nesterov, not rmsprop$"):
        resolve(*layers)
    settings = resolve(*layers, {"momentum": "off"})
    assert (settings.momentum, settings.beta2) == ("off", 0.99)


def test_toml_is_read_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('cost = "quadratic"\nhidden = [100, 30]\ninitializer = [2, 2.5]\nl2 = 5\npatience = 3\n')
    settings = resolve(read_toml(path))
    assert (settings.hidden, settings.initializer, settings.l2, settings.patience) == ((100, 30), (2.0, 2.5), 5.0, 3)
    path.write_bytes(write_toml(settings))
    assert resolve(read_toml(path)) == settings
    (tmp_path / "config.toml").write_bytes(write_toml(settings))
    assert read_config(tmp_path) == settings  # of a run, which can so be repeated


def test_one_hidden_layer_may_be_written_as_a_number(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("hidden = 50\n")
    assert read_toml(tmp_path / "run.toml") == {"hidden": (50,)}


COUNT = "a whole number, at least 1"
COST_NAMES = (
    "quadratic, cross-entropy, log-likelihood, absolute-error, flat-spot, focal, generalized-cross-entropy, "
    "smoothed-labels, square-loss, brier, squentropy or package.module:ClassName"
)
BAD = [
    ("cost", "cros-entropy", f"cros-entropy: did you mean cross-entropy? must be {COST_NAMES}"),
    ("cost", 3, f"3: must be {COST_NAMES}"),
    ("hidden", 0, "0: must be whole numbers above 0, such as 30 or [100, 30], or []"),
    ("hidden", [30, -1], "[30, -1]: must be whole numbers above 0, such as 30 or [100, 30], or []"),
    ("hidden", [30, 100_001], "[30, 100001]: must be at most 100,000"),
    ("elastic_sigma", 101, "101: must be at most 100"),
    ("hidden", [[30]], "[[30]]: must be whole numbers above 0, such as 30 or [100, 30], or []"),
    ("activation", "tanhh", "tanhh: did you mean tanh? must be sigmoid, tanh or relu"),
    ("activation", "relu\n", "'relu\\n': did you mean relu? must be sigmoid, tanh or relu"),
    ("initializer", "big", f"big: {INITIALIZER}"),
    ("initializer", [1.0], f"[1.0]: {INITIALIZER}"),
    ("initializer", [1.0, float("nan")], f"[1.0, nan]: {INITIALIZER}"),
    ("initializer", [float("nan"), 1.0], f"[nan, 1.0]: {INITIALIZER}"),
    ("epochs", 0, f"0: must be {COUNT}"),
    ("epochs", 2.5, f"2.5: must be {COUNT}"),
    ("epochs", True, f"True: must be {COUNT}"),
    ("epochs", 10**30, f"{10**30}: must be at most 10,000,000"),
    ("batch_size", -1, f"-1: must be {COUNT}"),
    ("learning_rate", -1, "-1: must be a number above 0"),
    ("learning_rate", 0.0, "0.0: must be a number above 0"),
    ("learning_rate", float("nan"), "nan: must be a number above 0"),
    ("learning_rate", float("inf"), "inf: must be at most 1,000,000,000"),
    ("momentum", -0.1, "-0.1: must be a number, at least 0 and less than 1, or off"),
    ("beta2", 1, "1: must be a number, at least 0 and less than 1, or off"),
    ("epsilon", 0.0, "0.0: must be a number above 0, or off"),
    ("optimizer", "adams", "adams: did you mean adam? must be sgd, momentum, nesterov, rmsprop, adam"),
    ("l1", -0.1, "-0.1: must be a number, at least 0"),
    ("l2", -0.1, "-0.1: must be a number, at least 0"),
    ("patience", 0, f"0: must be {COUNT}"),
    ("halve_after", 0, f"0: must be {COUNT}, or off"),
    ("dropout", 1, "1: must be a number, at least 0 and less than 1"),
    ("max_norm", 0, "0: must be a number above 0, or off"),
    ("augment", "twist", "twist: must be none, shift, affine or elastic"),
    ("seed", -1, "-1: must be a whole number, at least 0"),
    ("seed", 2**63, "9223372036854775808: must be at most 9,223,372,036,854,775,807"),
    ("train_size", 0, f"0: must be {COUNT}"),
    ("dtype", "float16", "float16: did you mean float64? must be float32 or float64"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_invalid_value_is_refused_with_key_value_and_allowed_values(name: str, value: Any, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check(name, value, name)
    assert has_facts(str(caught.value), f"{name} {reason}")


def test_types_and_descriptions_come_from_the_schema() -> None:
    types = {name: number_type(name) for name in FIELDS}
    whole = {"hidden", "epochs", "batch_size", "halve_after", "patience", "seed", "train_size", "probe_every"}
    assert {name for name, found in types.items() if found is int} == whole
    texts = {"cost", "activation", "initializer", "optimizer", "data", "augment", "dtype", "track_test", "snapshots"}
    assert {name for name, found in types.items() if found is None} == texts
    assert must_be("momentum") == "a number, at least 0 and less than 1, or off"
    assert must_be("momentum", IN_FILES) == 'a number, at least 0 and less than 1, or "off"'
    assert must_be("max_norm") == "a number above 0, or off"
    assert must_be("track_test") == "true or false"
    assert must_be("hidden", "{}+{}") == "whole numbers above 0, such as 30 or 100+30, or none"
    assert not any("000" in must_be(name) for name in FIELDS)


def test_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("epoch = 3\n")
    with pytest.raises(SettingsError) as caught:
        read_toml(path)
    assert has_facts(str(caught.value), f"{path}: epoch: did you mean epochs?")
    with pytest.raises(SettingsError) as caught:
        check("zzz", 1, "zzz")  # near to none
    assert all(name in str(caught.value) for name in ("zzz", *FIELDS))


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"epochs = \n", "not a TOML file: Invalid value (at line 1, column 10)"),
        (b"\xff\xfe", "not a TOML file: UTF-16"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "not a TOML file: "),
        (b"seed = 0x" + b"f" * 5000, "seed 9,223,372,036,854,775,807"),
        (b"format = 1", "format 1: must be 2: netlearn 0.1"),
        (b"format = 3", "format 3: must be 2: later netlearn"),
    ],
    ids=["missing", "position", "bytes", "nested", "digits", "old", "new"],
)
def test_file_that_holds_no_settings_is_refused(tmp_path: Path, content: bytes | None, facts: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_toml(path)
    assert has_facts(str(caught.value), f"{path}: {facts}")


def test_layers_may_switch_off_what_earlier_ones_set() -> None:
    settings = resolve({"patience": 3, "train_size": 50}, {"patience": check("patience", "off", "patience")})
    assert (settings.patience, settings.train_size, settings.batch_size) == ("off", 50, 10)
    assert resolve({"train_size": 50}, {"train_size": check("train_size", "all", "")}).train_size == "all"


def test_byte_order_mark_is_accepted_and_a_line_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbfrates = [" + b"0.125, " * 5000 + b"]\nepochs = 3\n")
    assert decode_toml(path) == {"rates": [0.125] * 5000, "epochs": 3}


@hypothesis_settings(max_examples=150)
@given(
    st.sampled_from(sorted(FIELDS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
)
def test_any_value_is_accepted_or_refused_in_one_line(name: str, value: Any) -> None:
    try:
        resolve({name: check(name, value, name)})
        message = "taken"
    except NetlearnError as error:
        message = str(error)
    assert len(message.splitlines()) == 1


def test_choices_are_the_tables_that_implement_them() -> None:
    assert CHOICES["cost"] is KNOWN
    assert CHOICES["activation"] is ACTIVATIONS
    assert CHOICES["optimizer"] is OPTIMIZERS
    assert CHOICES["initializer"] is INITIALIZERS
    for activation in CHOICES["activation"]:
        for dtype in CHOICES["dtype"]:
            assert check("activation", activation, "") == activation
            assert Network([2, 2], activation=activation, dtype=np.dtype(dtype)).dtype == dtype
