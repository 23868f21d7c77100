"""The guides about AWS: every command that they show exists, with its options, and every template gets its parameters."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name
from zappa.cli import ZappaCLI

from authserver.cli import main
from authserver.jobs import JOBS
from authserver.runtime.settings import PREFIX, Settings
from tests.aws.stacks import FOLDER, read

ROOT = FOLDER.parent.parent
GUIDES = [ROOT / "docs" / name for name in ("lambda.md", "aws.md", "costs.md")] + [FOLDER / "README.md"]
SHOWN = [*GUIDES, FOLDER / "alarms.yaml"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"sh", "sql"}
OF_THE_CLI = {"template-file", "parameter-overrides", "capabilities", "stack-name"}
"""Options of `aws cloudformation deploy`, which is made of several operations."""


def each_guide() -> Any:
    return pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command in shell blocks, and of those in backquotes that have options or arguments."""
    for language, block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines() if language == "sh" else ():
            yield shlex.split(line, comments=True)
    prose = BLOCK.sub("", text)
    for quoted in re.findall(r"`([^`\n]+)`|\((authserver|zappa) [^)]*\)", prose):
        words = quoted[0].split()
        if len(words) > 1 and words[0] in ("aws", "authserver", "zappa", "python", "make"):
            yield words


ALL = [words for path in SHOWN for words in commands(path.read_text())]


def those_of(program: str) -> list[list[str]]:
    return [words[1:] for words in ALL if words[0] == program]


@each_guide()
def test_a_block_is_of_a_kind_that_is_checked(guide: Path) -> None:
    text = guide.read_text()
    kinds = BLOCK.findall(text)
    assert len(kinds) == text.count("```") / 2
    assert {language for language, _ in kinds} <= LANGUAGES


def test_the_programs_of_the_blocks_are_known() -> None:
    assert {words[0] for words in ALL} == {"aws", "authserver", "zappa", "make", "python"}


@pytest.mark.parametrize("words", [words for words in those_of("aws") if words[:2] == ["cloudformation", "deploy"]], ids=" ".join)
def test_a_template_that_is_deployed_gets_what_it_needs(words: list[str]) -> None:
    path = ROOT / words[words.index("--template-file") + 1]
    given = {word.partition("=")[0] for word in words if re.match(r"[A-Z]\w*=", word)}
    parameters = read(path.stem)["Parameters"]
    needed = {name for name, about in parameters.items() if "Default" not in about}
    assert path.parent == FOLDER
    assert needed <= given <= parameters.keys()
    for name, value in (word.split("=", 1) for word in words if re.match(r"[A-Z]\w*=", word)):
        assert re.fullmatch(parameters[name].get("AllowedPattern", ".*"), value), word_of(name, value)
    roles = [item for item in read(path.stem)["Resources"].values() if item["Type"] == "AWS::IAM::Role"]
    capability = "CAPABILITY_NAMED_IAM" if any("RoleName" in role["Properties"] for role in roles) else "CAPABILITY_IAM"
    assert ("--capabilities" in words) == bool(roles)
    assert not roles or words[words.index("--capabilities") + 1] == capability


def word_of(name: str, value: str) -> str:
    return f"{name}={value} is not what the template allows"


def test_a_call_of_aws_exists_with_its_options() -> None:
    session = botocore.session.get_session()
    for service, name, *rest in those_of("aws"):
        if service == "s3":
            continue
        options = {word.removeprefix("--").removeprefix("no-") for word in rest if word.startswith("--")}
        if (service, name) == ("cloudformation", "deploy"):
            assert options <= OF_THE_CLI
            continue
        model = session.get_service_model(service)
        known = {xform_name(operation, "-"): operation for operation in model.operation_names}
        shape = model.operation_model(known[name]).input_shape
        members = {xform_name(member, "-") for member in shape.members} if shape else set()
        assert options <= members, f"aws {service} {name}"


def test_a_command_of_ours_exists_with_its_options() -> None:
    for words in those_of("authserver"):
        command: click.Command = main
        for word in words:
            if word.startswith("-"):
                assert word in [name for option in command.get_params(click.Context(command)) for name in option.opts], words
            elif isinstance(command, click.Group):
                found = command.get_command(click.Context(command), word)
                assert found is not None, words
                command = found
        assert not isinstance(command, click.Group), words


def test_a_command_of_zappa_exists_and_runs_a_job_of_ours() -> None:
    known = {name for name in vars(ZappaCLI) if not name.startswith("_")}
    for name, *rest in those_of("zappa"):
        assert name in known
        if name == "invoke" and rest[0] != "--raw":
            job = shlex.split(rest[1])[0].removeprefix("authserver.jobs.")
            assert job in JOBS or job == "…"


def test_the_guide_to_lambda_has_every_job() -> None:
    guide = (ROOT / "docs" / "lambda.md").read_text().partition("\n| `authserver.jobs.…` |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in guide.splitlines()[1:]))) == set(JOBS)


def test_make_has_what_is_made() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert [words[0] for words in those_of("make") if f"\n{words[0]}:" not in makefile] == []


@each_guide()
def test_every_setting_that_is_named_exists(guide: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__}
    named = set(re.findall(r"AUTHSERVER_[A-Z_]+", guide.read_text()))
    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()


@each_guide()
def test_every_file_and_heading_that_is_linked_exists(guide: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", guide.read_text()):
        path, _, heading = target.partition("#")
        linked = (guide.parent / path).resolve() if path else guide
        assert linked.exists(), target
        assert not heading or heading in headings(linked), target


def headings(path: Path) -> set[str]:
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-") for line in lines}


@each_guide()
def test_every_template_parameter_and_alarm_that_is_named_exists(guide: Path) -> None:
    text = guide.read_text()
    templates = set(re.findall(r"`([a-z-]+\.(?:yaml|json))`", text))
    assert {name for name in templates if not (FOLDER / name).exists()} <= {"zappa_settings.json"}
    known = {name for path in FOLDER.glob("*.yaml") for name in read(path.stem)["Parameters"]}
    assert set(re.findall(r"`([A-Z][A-Za-z]+)=[^`]*`", text)) <= known


def test_the_table_of_templates_is_complete() -> None:
    named = set(re.findall(r"^\| `([a-z-]+\.\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE))
    assert named == {path.name for path in FOLDER.iterdir() if path.is_file()} - {"README.md"}


def test_the_documents_of_the_folder_are_read_by_cloudformation_alone() -> None:
    for path in FOLDER.glob("*.yaml"):
        assert yaml.compose(path.read_text()).tag == "tag:yaml.org,2002:map"
        assert path.read_text().startswith("#"), "says first what it is"
