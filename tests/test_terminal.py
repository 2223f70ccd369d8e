"""Whatever the encoding of the terminal and whoever chose the names, text is shown and does no harm."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from netlearn.cli import main
from netlearn.plotting.style import literal
from netlearn.settings import resolve
from netlearn.text import printable
from tests.commands import ONE_EPOCH, call, compare, curves_alone, done, one_line
from tests.runs import do_run, reseal

ENCODINGS = ["ascii", "cp1252", "cp866", "shift_jis", "utf-8", "utf-16"]
ODD = [
    "_hidden", "$a_b$", "a|b", "η = 3 ± 0.5", "<b>&amp;", "]]> 2", "日本語", "שלום", "é", "👩 3", "%s{}", "-- x", "ä",
]  # fmt: skip
HARMFUL = ["\x1b[31mred", "a\nb", "a\tb", "a\rb", "\x07", "a\u202eb", "\x9b2J", "a\x00b", "\u2028"]


def call_in(encoding: str, *arguments: str) -> Result:
    return CliRunner(charset=encoding).invoke(main, arguments)


def experiment(names: list[str]) -> str:
    """Write an experiment with variants of those names, quick to run."""
    head = 'seeds = 1\n[defaults]\ndata = "mnist-5k"\ntrain_size = 100\nepochs = 1\nhidden = []\n'
    tables = "".join(
        f"[variants.{msgspec.json.encode(name).decode()}]\nlearning_rate = 0.{i + 1}\n"
        for i, name in enumerate(names)
    )
    Path("odd.toml").write_text(head + tables, encoding="utf-8")
    return "odd.toml"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_help_is_printed_in_every_encoding(encoding: str) -> None:
    for command in ("train", "compare"):
        result = call_in(encoding, command, "--help")
        assert result.exit_code == 0, result.exception
        assert "--learning-rate" in result.stdout_bytes.decode(encoding if encoding != "ascii" else "utf-8")


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("encoding", ["ascii", "shift_jis", "utf-16"])
def test_comparison_is_printed_in_every_encoding(encoding: str) -> None:
    result = call_in(encoding, "compare", experiment(["a", "η ± 1"]))
    assert result.exit_code == 0, result.exception
    text = result.stdout_bytes.decode(encoding)
    assert "learning rate η" in text or "learning rate eta" in text


@pytest.mark.usefixtures("in_this_process", "rendered")
def test_odd_names_are_run_printed_and_drawn() -> None:
    done(compare(experiment(ODD), "--out", "out", "-q"))
    summary = msgspec.json.decode(Path("out/summary.json").read_bytes())
    assert [row["variant"] for row in summary["rows"]] == ODD
    for picture in Path("out").glob("*.svg"):
        ET.parse(picture)  # noqa: S314 (made by this test)


@pytest.mark.parametrize("name", HARMFUL)
def test_control_characters_in_a_variants_name_are_refused_and_shown_written_out(name: str) -> None:
    result = compare(experiment([name, "b"]))
    assert one_line(result, 2, f"variant {name!r}: must have a printable name")
    assert result.stderr.rstrip().isprintable()


def test_names_that_begin_with_an_underscore_stand_in_legends() -> None:
    assert not literal("_a").startswith("_")
    assert literal("_a").endswith("_a")
    assert literal("a_") == "a_"


@pytest.mark.parametrize("text", HARMFUL)
def test_text_in_a_picture_has_no_control_characters(text: str) -> None:
    assert literal(text).replace("\n", "").isprintable()


def test_escape_sequences_in_anothers_run_are_written_out() -> None:
    settings = resolve({"data": "mnist-5k", "epochs": 1, "hidden": ()})
    do_run(settings, Path("run"))
    summary = msgspec.json.decode(Path("run/summary.json").read_bytes())
    summary |= {"status": "diverged", "error": "\x1b]0;title\x07\x1b[2J it diverged", "test_accuracy": None}
    Path("run/summary.json").write_bytes(msgspec.json.encode(summary))
    reseal(Path("run"))
    for arguments in (["train", "--resume", "run"], ["evaluate", "run"], ["verify", "run"]):
        result = call(*arguments)
        assert result.exit_code == 1
        assert "\x1b" not in result.output
        assert "\x07" not in result.output
    assert r"\x1b[2J it diverged" in call("train", "--resume", "run").stderr


@pytest.mark.parametrize("name", [b"\xff\xfe", b"caf\xe9", b"new\nline", b"\x1b[31m", "日本".encode()])
def test_odd_file_names_give_no_traceback(name: bytes) -> None:
    folder = os.fsdecode(name)
    result = done(call("train", *ONE_EPOCH, "--train-size", "100", "--hidden", "none", "--out", f"{folder}/run"))
    assert f"run folder: {printable(folder)}/run" in result.stdout
    for arguments in (["verify"], ["evaluate"], ["evaluate", "--json"]):
        result = done(call(*arguments, f"{folder}/run"))
        assert "\x1b" not in result.output
    for arguments in (["train", "--data", f"{folder}/x.npz"], ["compare", folder], ["train", "--config", folder]):
        result = call(*arguments)
        assert result.exit_code in {1, 2}, result.exception
        assert len(result.stderr.strip().splitlines()) == 1
        assert "\x1b" not in result.stderr


@pytest.mark.usefixtures("in_this_process")
def test_comparison_in_a_folder_of_undecodable_name_is_written() -> None:
    result = done(compare(experiment(["a", "b"]), "--out", os.fsdecode(b"\xff"), "-q"))
    assert r"folder: \udcff" in result.stdout


@pytest.mark.slow
def test_pipe_of_another_encoding_gets_the_whole_comparison() -> None:
    command = ["compare", experiment(["a", "η"]), "--jobs", "1"]
    result = curves_alone(*command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, encoding="ascii")
    assert result.returncode == 0, result.stderr
    assert "learning rate eta" in result.stdout
    assert "folder: runs" in result.stdout
