"""`netlearn weights` on the command line; `runs` are prepared run folders, see conftest."""

from pathlib import Path

import msgspec
import pytest

from netlearn.runs import Summary, encode_summary
from tests.commands import call, files_of, one_line
from tests.messages import has_facts
from tests.runs import reseal


@pytest.mark.usefixtures("runs", "rendered")
@pytest.mark.parametrize("name", ["ce", "plain"])
def test_weights_are_drawn_before_and_after_training(name: str) -> None:
    before = files_of(name)
    result = call("weights", name)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [f"{name}/weights.png", f"{name}/weights.svg"]
    assert result.stderr == ""
    assert files_of(name) == before | {"weights.png", "weights.svg"}
    text = Path(name, "weights.svg").read_text()
    assert all(panel in text for panel in ("before training", "after training", "learned: after − before"))
    assert call("weights", name, "--out", "elsewhere", "-q").exit_code == 0
    assert files_of("elsewhere") == {"weights.png", "weights.svg"}


@pytest.mark.usefixtures("runs", "rendered")
def test_initial_weights_that_do_not_match_the_seed_are_left_out_with_a_note() -> None:
    stored = msgspec.json.decode(Path("ce/summary.json").read_bytes(), type=Summary)
    content = encode_summary(msgspec.structs.replace(stored, initial_weights_sha256="0" * 64))
    Path("ce/summary.json").write_bytes(content)
    reseal(Path("ce"))
    result = call("weights", "ce")
    assert result.exit_code == 0
    assert has_facts(result.stderr, "ce 0 SHA-256")
    text = Path("ce/weights.svg").read_text()
    assert "after training" in text
    assert "before training" not in text


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (["neuron"], 1, "data neuron: images"),
        (["diverged"], 1, "diverged 1e+06"),
        (["nowhere"], 2, "nowhere: no such"),
        (["ce", "--best"], 1, "ce best.safetensors --patience"),
        (["ce", "--data", "neuron"], 2, "neuron 1 784 ce"),
    ],
)
def test_weights_that_cannot_be_drawn_give_one_line(arguments: list[str], code: int, facts: str) -> None:
    assert one_line(call("weights", *arguments), code, facts)
