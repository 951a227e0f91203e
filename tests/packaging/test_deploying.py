"""The files in deploy/: they name what there is, keep what is unsafe out, and nginx before a server does what it says."""

import configparser
import datetime
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.web.serving import run_command, served

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SITE = "works.museum.example"
ROOT = "/api/v1"


def options_of_serve() -> str:
    return run_command("serve", "--help")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return content


def test_the_container_runs_as_nobody_from_pinned_images_and_files_that_there_are() -> None:
    joined = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    told = [(word, rest.strip()) for word, rest in lines]
    images = [rest for word, rest in told if word == "FROM"]
    assert all(re.match(r"docker\.io/library/python:3\.\d+-slim-\w+( AS \w+)?$", image) for image in images)
    assert [rest for word, rest in told if word == "USER"] == ["10001"]
    words = [word for word, _ in told]
    assert {"HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE"} <= set(words)
    assert "ADD" not in words
    assert words.index("USER") > max(place for place, word in enumerate(words) if word == "RUN")
    for source in [
        each for word, rest in told if word == "COPY" and "--from" not in rest for each in rest.split()[:-1]
    ]:
        assert (DEPLOY.parent / source).exists(), source
    assert all("--no-cache-dir" in rest for word, rest in told if word == "RUN" and "pip install" in rest)


def test_the_compose_file_shows_the_proxy_alone(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"application", "database", "proxy"}
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] is True
    assert all(each["networks"] == ["inside"] for name, each in services.items() if name != "proxy")
    assert all("no-new-privileges:true" in each["security_opt"] and each["mem_limit"] for each in services.values())
    assert all(
        services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"] for name in ("application", "proxy")
    )
    assert (DEPLOY / services["application"]["build"]["dockerfile"].removeprefix("deploy/")).is_file()
    volumes = {volume.split(":")[0] for each in services.values() for volume in each["volumes"]}
    assert {each for each in volumes if not each.startswith("./")} == set(compose["volumes"])
    # Its address is its own: neither the gateway's, nor one that another container is given.
    (pool,), proxy = compose["networks"]["inside"]["ipam"]["config"], services["proxy"]["networks"]["inside"]
    own, subnet = ipaddress.ip_address(proxy["ipv4_address"]), ipaddress.ip_network(pool["subnet"])
    assert own in subnet
    assert own not in ipaddress.ip_network(pool["ip_range"])
    assert own != subnet[1]
    assert f"--behind-proxy {own} " in services["application"]["command"]
    assert all(re.search(r":\d+\.\d+", each["image"]) for each in services.values() if "image" in each)
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert not re.search(r"PASSWORD: (?!\$\{)", text)


def test_commands_use_options_that_there_are(compose: dict[str, Any]) -> None:
    command = compose["services"]["application"]["command"]
    unit = (DEPLOY / "vernissage.service").read_text("utf-8")
    container = (DEPLOY / "Containerfile").read_text("utf-8")
    known = options_of_serve()
    starts = [command, unit.partition("ExecStart=")[2].partition("\nRestart")[0], container.partition('CMD ["serve')[2]]
    used = {option for each in starts for option in re.findall(r"--[a-z-]+", each)}
    assert {"--behind-proxy", "--allowed-host", "--public-url"} <= used
    assert [option for option in used if option not in known] == []
    assert "VERNISSAGE_DATABASE" in compose["services"]["application"]["environment"]


def test_the_unit_is_hardened_and_systemd_understands_it(tmp_path: Path) -> None:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    text = (DEPLOY / "vernissage.service").read_text("utf-8")
    parser.read_string(text.replace("\\\n", " "))
    service = parser["Service"]
    hardened = {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "PrivateDevices": "yes",
        "CapabilityBoundingSet": "",
    }
    assert {name: service[name] for name in hardened} == hardened
    assert service["User"] == "vernissage"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # It also asks whether the program is there.
    unit = tmp_path / "vernissage.service"
    unit.write_text(text.replace("/opt/vernissage/bin/vernissage", shutil.which("true") or "/bin/true"), "utf-8")
    found = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if "vernissage" in line] == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-500:]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def certificate(folder: Path) -> None:
    """A certificate of one's own for the site and this machine, as certificate.pem and key.pem."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={SITE}")
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(SITE), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
    )
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))


def configured(folder: Path, server: str, plain: int, encrypted: int) -> Path:
    """deploy/nginx.conf with the paths, ports and the server of a test, and nothing else changed."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    kept = [f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    for old, new in {
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{encrypted} ",
        "application:8000": server,
        "/etc/nginx/tls": str(folder),
        "/var/cache/nginx": str(folder),
        "/var/log/nginx": str(folder),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "worker_processes auto": "worker_processes 1",
        "http {": "\n".join(["http {", *kept]),
    }.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "nginx.conf"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def site(
    workspace: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[httpx.Client, Path, str, int]]:
    """nginx before a server of the toy gallery with PostgreSQL: a client, nginx's folder, a key, the port without TLS."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")  # which Debian keeps off users' paths
    if nginx is None:
        pytest.skip("nginx is not installed")
    # As the compose file names the database: the password is no part of its address.
    url = urlsplit(postgres_url)
    monkeypatch.setenv("VERNISSAGE_DATABASE", url._replace(netloc=f"{url.username}@{url.hostname}:{url.port}").geturl())
    monkeypatch.setenv("PGPASSWORD", url.password or "")
    key = re.search(
        r"vk_\S+", run_command("admin", "make-key", workspace, "--name", "t", "--scope", "read", "--scope", "people")
    )
    assert key is not None
    folder, plain, encrypted = tmp_path / "nginx", free_port(), free_port()
    folder.mkdir()
    certificate(folder)
    with ExitStack() as running:
        address, _ = running.enter_context(
            served(workspace, None, "--behind-proxy", "127.0.0.1", "--allowed-host", SITE)
        )
        path = configured(folder, address.removeprefix("http://"), plain, encrypted)
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        command = [nginx, "-c", path, "-e", folder / "error.log", *user]
        tested = subprocess.run([*map(str, command), "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "warn" not in tested.stderr
        directives = "daemon off;" + " user root;" * bool(user)
        process = subprocess.Popen([nginx, "-c", path, "-e", folder / "error.log", "-g", directives])
        running.callback(process.wait, 20)
        running.callback(process.terminate)
        client = running.enter_context(
            httpx.Client(
                base_url=f"https://127.0.0.1:{encrypted}",
                headers={"Host": SITE},
                verify=ssl.create_default_context(cafile=folder / "certificate.pem"),
            )
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                client.get("/healthz")
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        yield client, folder, key[0], plain
        assert not (workspace / "vernissage.db").exists()


@pytest.mark.long
def test_nginx_before_a_server(site: tuple[httpx.Client, Path, str, int]) -> None:
    client, folder, key, plain = site
    asked = {"X-API-Key": key}
    # What is asked for comes as if the site had answered itself.
    found = client.get(f"{ROOT}/works/w000/similar?limit=2", headers=asked)
    assert found.status_code == 200, found.text
    work = found.json()["works"][0]
    assert work["url"].startswith(f"https://{SITE}/works/")
    assert found.headers["strict-transport-security"]
    again = client.get(f"{ROOT}/works/w000/similar?limit=2", headers=asked | {"If-None-Match": found.headers["etag"]})
    assert again.status_code == 304
    assert client.get(f"{ROOT}/works/w000/similar").status_code == 401
    moved = httpx.get(f"http://127.0.0.1:{plain}{ROOT}/version?a=b", headers={"Host": SITE})
    assert (moved.status_code, moved.headers["location"]) == (308, f"https://{SITE}{ROOT}/version?a=b")
    assert {client.get(path, headers=asked).status_code for path in ("/metrics", "/readyz")} == {404}
    # An address that a client makes up is not believed: this request is as far away as any.
    assert client.get("/api/v1/works", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    # Thumbnails come from the cache the second time.
    picture = work["thumbnail"]["src"].removeprefix(f"https://{SITE}")
    first, second = client.get(picture), client.get(picture)
    assert first.content == second.content != b""
    # Bodies: uploads may be larger than all others, and nothing is larger than it may be.
    body = b'{"ratings": {"w000": 5}, "exclude": ["' + b"x" * 3 * 1024**2 + b'"]}'
    assert client.post(f"{ROOT}/recommendations", content=body, headers=asked).status_code == 413
    files = [("texts", (None, "a ship " * 2_000)) for _ in range(2)] + [("pictures", ("big.png", b"x" * 3 * 1024**2))]
    told = client.post(f"{ROOT}/people/ann/uploads", files=files, headers=asked)
    assert told.status_code != 413  # the application has its say
    assert "json" in told.headers["content-type"]
    kept = client.post(f"{ROOT}/people/ann/uploads", files=[("texts", (None, "a ship at sea"))], headers=asked)
    assert kept.status_code in {201, 202}
    # Addresses: ids of recommendations have room, and no more.
    assert client.get(f"{ROOT}/recommendations/{'a' * 6_000}/next", headers=asked).status_code == 404
    assert client.get(f"/{'a' * 9_000}").status_code == 414
    time.sleep(0.1)
    lines = [line.split() for line in (folder / "access.log").read_text().splitlines()]
    states = [line[-1] for line in lines if line[2] == picture]
    assert states == ["MISS", "HIT"]
    told_pages = {line[2] for line in lines}
    assert "/api/v1/people/" in told_pages
    assert not [page for page in told_pages if "ann" in page]
