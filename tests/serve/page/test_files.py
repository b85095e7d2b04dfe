import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from puppylog.serve.page.files import read_files, without_comments
from support.served import Served

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "src" / "puppylog" / "serve" / "page" / "static"
HTML = {"Accept": "text/html,*/*"}
MAX_BYTES = 200_000  # that a browser downloads, the addresses of the modules included

SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\s*\(|new Function|DOMParser|createContextual"
    r"|setHTMLUnsafe|parseHTMLUnsafe|srcdoc\s*[=:]|javascript:|dangerously|trustedTypes|importScripts|new Worker"
    r"|setTimeout\(\s*[\"'`]|setInterval\(\s*[\"'`]|https?://(?!www\.w3\.org)[\w.]"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("files")) as served:
        yield served


def list_own() -> list[Path]:
    return [path for path in STATIC.rglob("*") if path.is_file()]


def test_the_page_is_html_and_asked_for_again_each_time(served: Served) -> None:
    answer = served.send("GET", "/", headers=HTML)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    again = served.send("GET", "/", headers={**HTML, "If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert served.send("HEAD", "/", headers=HTML).status == 200


def test_the_policy_lets_a_browser_run_and_load_nothing_but_the_page(served: Served) -> None:
    headers = served.send("GET", "/", headers=HTML).headers
    policy = headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} < set(policy)
    assert {"require-trusted-types-for 'script'", "trusted-types 'none'", "base-uri 'none'"} < set(policy)
    assert not re.search(r"unsafe|\*|https?:", headers["content-security-policy"])
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"


def test_every_file_that_the_page_names_is_served_and_may_be_kept_for_good(served: Served) -> None:
    index = served.send("GET", "/", headers=HTML).text
    names = re.findall(r'(?:href|src)="(page/[^"]+)"', index)
    assert len(names) > 15
    for name in names:
        answer = served.send("GET", f"/{name}", headers={"Accept-Encoding": "gzip, br"})
        assert answer.status == 200, name
        assert "immutable" in answer.headers["cache-control"]
        body = gzip.decompress(answer.body) if "content-encoding" in answer.headers else answer.body
        written = (STATIC / name.split("/", 2)[2]).read_bytes()
        assert body == (without_comments(written) if name.endswith(".js") and "/vendor/" not in name else written)
        assert body.count(b"\n") == written.count(b"\n")
    plain = served.send("GET", f"/{names[1]}", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers


def test_a_file_of_another_version_or_outside_the_folder_is_not_found(served: Served) -> None:
    digest = read_files().digest
    for path in (
        "/page/0123456789abcdef/app.js",
        f"/page/{digest}/../../routes.py",
        f"/page/{digest}/vendor/uplot/LICENSE",
    ):
        assert served.send("GET", path).status == 404, path


def test_every_file_is_in_the_wheel() -> None:
    included = {Path(file.path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert [path for path in list_own() if path not in included] == []


def test_a_browser_downloads_few_bytes() -> None:
    files = read_files()
    sizes = {
        name: len(file.compressed or file.body) for name, file in {**files.by_name, "index.html": files.index}.items()
    }
    assert sum(sizes.values()) < MAX_BYTES, sorted(sizes.items(), key=lambda one: -one[1])[:10]


def test_no_file_uses_what_could_run_text_or_load_from_elsewhere() -> None:
    found = {
        f"{path.relative_to(STATIC)}: {match[0]}"
        for path in list_own()
        if "vendor" not in path.parts
        for match in SINKS.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_the_html_has_no_script_and_no_style_of_its_own() -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)[^>]*>", index)


def test_the_vendored_files_are_those_of_their_project() -> None:
    folder = STATIC / "vendor" / "uplot"
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: sum_ for sum_, name in map(str.split, lines)}
    assert sums.keys() == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sums} == sums


def test_scripts_are_short_enough_to_be_read_at_once() -> None:
    lengths = {
        str(path.relative_to(STATIC)): path.read_bytes().count(b"\n")
        for path in STATIC.rglob("*.js")
        if "vendor" not in path.parts
    }
    assert {name: lines for name, lines in lengths.items() if lines > 320} == {}
