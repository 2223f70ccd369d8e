"""The files in configs/: their descriptions, and that each can be run by its name."""

from pathlib import Path

import pytest

from netlearn.cli import COMMANDS
from netlearn.comparison import catalogue
from netlearn.comparison import compare as comparison
from netlearn.errors import SettingsError
from netlearn.settings import read_toml
from netlearn.text import decode_toml
from scripts import book, captions, cures_page, reproduce
from tests.commands import call, compare, done, workers_here
from tests.messages import has_facts

FILES = catalogue.files()
PICTURES = captions.PICTURES | {name: [picture] for name, picture in cures_page.PICTURES.items()}
each_experiment = pytest.mark.parametrize("name", FILES)


@each_experiment
def test_file_describes_itself_and_names_an_existing_command(name: str) -> None:
    about = catalogue.descriptions()[name]
    assert about.expected
    assert about.run_time
    assert about.question.endswith("?")
    program, command, *arguments = about.command.split()
    assert (program, command in COMMANDS) == ("netlearn", True)
    if command == "compare":
        assert arguments == [name]
    else:
        assert arguments == ["--config", f"configs/{name}.toml"]
        assert read_toml(FILES[name])


@pytest.mark.slow
@pytest.mark.long
@each_experiment
def test_experiment_runs_quickly_on_the_bundled_digits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = PICTURES.get(name, ["curves"])
    monkeypatch.setattr(comparison, "PICTURES", pictures)  # those that its page shows; all would take minutes
    experiment = reproduce.plan(name, None, quick=True)
    with workers_here() as workers:
        reproduce.reproduce(name, experiment, Path("out"), workers)
    runs = [path for path in Path("out").iterdir() if path.is_dir()]
    assert len(runs) == len(experiment.seeds) * len(experiment.variants)
    assert all((run / "summary.json").is_file() for run in runs)
    assert all(Path("out", f"{picture}.png").is_file() for picture in pictures)


def test_every_experiment_of_the_book_is_in_the_catalogue() -> None:
    assert set(reproduce.EXPERIMENTS) <= set(FILES)
    for claim in book.CLAIMS:
        assert claim.variant in decode_toml(FILES[claim.experiment])["variants"]


def test_list_shows_names_questions_and_run_times() -> None:
    result = done(call("compare", "--list"))
    text = " ".join(result.stdout.split())
    for name, about in catalogue.descriptions().items():
        assert f"{name} {about.question} (" in text
    for question_and_time in (
        "Do more hidden layers help, and how fast does each layer learn? (90 seconds on full MNIST with 2 cores)",
        "How does accuracy grow with the number of training images? "
        "(3 minutes on full MNIST with 2 cores; the bundled digits are too few)",
        "How does one neuron learn from a mild and from a bad start, with each cost? (5 seconds)",
    ):
        assert question_and_time in text


def test_list_names_what_needs_full_mnist_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    need = catalogue.need_full()
    assert {"depth", "more-data", "initial-weights"} <= set(need)
    assert not {"dropout", "layer-speeds", "label-noise", "quadratic", "neuron"} & set(need)
    lists = [done(call("compare", "--list")).stdout]
    monkeypatch.setattr("netlearn.cli.compare.is_present", lambda name: name == "mnist")
    lists.append(done(call("compare", "--list")).stdout)
    assert [f"{', '.join(need)}." in " ".join(text.split()) for text in lists] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("depth", "λ = 5 50,000 3,500 14 --l2 0.35"),
        ("depth --train-size 1000", "λ = 5 50,000 1,000 50 --l2 0.1"),
        ("depth --vary epochs=1,2", "λ = 5 50,000 3,500 14 --l2 0.35"),
        ("depth --l2 1", ""),
        ("depth --l2 5", ""),
        ("depth --vary l2=1,5", ""),
        ("layer-speeds", ""),
        ("dropout --seeds 2", ""),
        ("own.toml", ""),
    ],
)
def test_l2_that_is_far_too_strong_for_less_data_gets_a_note(arguments: str, expected: str) -> None:
    Path("own.toml").write_bytes(FILES["depth"].read_bytes())
    notes = done(compare(*arguments.split(), "--data", "mnist-5k", "--dry-run")).stderr.splitlines()
    found = [note for note in notes if "λ" in note]
    assert len(found) == bool(expected)
    assert not found or has_facts(found[0], expected)


@pytest.mark.usefixtures("in_this_process")
def test_name_runs_an_experiment_from_anywhere() -> None:
    result = done(
        compare("quadratic", "--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "--seeds", "1", "--json")
    )
    assert '"title":"quadratic"' in result.stdout


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("overfiting", "did you mean overfitting?"),
        ("qqq", "netlearn compare --list"),
        ("mythesis", "did you mean my-thesis?"),
        ("my-thesis/cros-entropy", "did you mean my-thesis/cross-entropy?"),
        ("my-thesis/qqq", "no such folder"),
    ],
)
def test_unknown_name_or_folder_is_answered_with_the_nearest(argument: str, hint: str) -> None:
    Path("my-thesis/cross-entropy").mkdir(parents=True)
    with pytest.raises(SettingsError, match=f"^{argument}: no such folder") as caught:
        catalogue.find(Path(argument))
    assert hint in str(caught.value)
    assert len(str(caught.value)) < 120


def test_run_folder_takes_precedence_over_an_experiment_of_the_same_name() -> None:
    assert catalogue.find(Path("depth")) == FILES["depth"]
    Path("depth").mkdir()
    assert catalogue.find(Path("depth")) == FILES["depth"]
    Path("depth/config.toml").touch()
    assert catalogue.find(Path("depth")) is None
