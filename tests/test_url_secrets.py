"""Keys and passwords in URLs are recognised wherever a URL is taken, and nothing else is taken for one."""

import time
from pathlib import Path

import pytest

from search_spaces import find
from suite.cli.main import main
from suite.errors import RequestError
from suite.runs.storage.object_storage import open_object_folder
from suite.url_secrets import has_secret

SECRET = "wJalrXUtnFEMI"
WITH_SECRET = [
    f"s3://AKIA:{SECRET}@bucket/run",
    f"s3://AKIA:{SECRET}/K7MDENG@bucket/run",
    f"s3://{SECRET}@bucket/run",
    f"s3://bucket/run?endpoint_override=user:{SECRET}@host:9000",
    f"s3://bucket/run?secret_key={SECRET}",
    f"https://host/run?X-Amz-Credential=a&X-Amz-Signature={SECRET}",
    f"http://user:{SECRET}@head:8265",
    f"ray://user:{SECRET}@head:10001",
    f"https://{SECRET}@github.com/x",
    f"git+ssh://git:{SECRET}@github.com/x",
]


@pytest.mark.parametrize("url", WITH_SECRET)
def test_a_secret_is_recognised(url: str) -> None:
    assert has_secret(url)
    assert has_secret(f"--out={url}")


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/run@home",
        "s3://bucket/run?endpoint_override=http://127.0.0.1:9000&region=x",
        "http://head:8265",
        "http://[::1]:8265/a@b",
        "ray://head:10001",
        "registry.io/suite@sha256:abc",
        "me@example.org",
        "git+ssh://git@github.com/x@v1",
        "ssh://git@host:22/x",
        "lambda_l1=0.5",
    ],
)
def test_other_text_is_not_taken_for_one(text: str) -> None:
    assert not has_secret(text)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "part",
    ["a", "://", "a://b:c", "a://?", "&secret", "?a=", "s3://", "ssh://a", "1", "a://b:1", "@", "://&a=@"],
)
def test_a_text_of_any_kind_is_searched_in_a_moment(part: str) -> None:
    began = time.perf_counter()
    has_secret(part * 100_000)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("url", WITH_SECRET)
@pytest.mark.parametrize(
    "command",
    [
        "run --search tiny --out {}",
        "resume {}",
        "status {}",
        "report {}",
        "run --search tiny --address {}",
        "submit --address {} -- run --search tiny --out s3://b/k",
        "submit -- run --search tiny --out {}",
        "job follow x --address {}",
        "manifest slurm -- run --search tiny --out {}",
        "manifest kuberay --image i -- run --search tiny --out {}",
        "manifest slurm -- run --search tiny --out /shared/a --set data={}",
    ],
)
def test_no_command_takes_it_and_none_repeats_it(
    command: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word.format(url) for word in command.split()])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert "contains a key or a password" in said.err


@pytest.mark.parametrize("url", [url for url in WITH_SECRET if url.startswith("s3:")])
def test_storage_is_not_opened_with_it(url: str) -> None:
    with pytest.raises(RequestError, match="contains access keys") as refused:
        open_object_folder(url)
    assert SECRET not in str(refused.value)


def test_an_endpoint_of_the_environment_with_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://user:{SECRET}@127.0.0.1:1")
    with pytest.raises(RequestError, match="AWS_ENDPOINT_URL contains access keys"):
        open_object_folder("s3://bucket/key")


def test_a_dashboard_of_the_environment_with_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", f"http://user:{SECRET}@head:8265")
    assert main(["job", "follow", "x"]) == 2
    assert SECRET not in capsys.readouterr().err


def test_a_search_file_with_it_is_not_copied_into_a_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find("tiny").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text + f"\n# as in s3://AKIA:{SECRET}@bucket/data\n")
    command = [
        "manifest",
        "kuberay",
        "--image",
        "i",
        "--",
        "run",
        "--search",
        str(tmp_path / "mine.yaml"),
        "--out",
        "s3://b/k",
    ]
    assert main(command) == 2
    said = capsys.readouterr()
    assert "contains a key or a password" in said.err
    assert SECRET not in said.out + said.err
