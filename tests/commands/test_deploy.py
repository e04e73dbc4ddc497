"""What deploy/ holds is what the tools it is for accept, and names what the portal knows."""

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.commands.conftest import portal
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = [path for path in UNITS if path.suffix == ".service"]
INSTALLED = "/opt/portal"


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_starts_a_command_with_options_it_has(path):
    program, command, *rest = shlex.split(unit(path)["Service"]["ExecStart"])
    assert program == f"{INSTALLED}/portal"
    explained = portal(command, "--help").stdout
    options = {word for word in rest if word.startswith("--")}
    assert options
    assert {option for option in options if option not in explained} == set()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_no_fault_in_the_units(tmp_path):
    for path in UNITS:
        text = path.read_text("utf-8").replace(INSTALLED, str(ROOT)).replace("=portal\n", "=root\n")
        (tmp_path / path.name).write_text(text.replace("/srv", "/tmp").replace("/mnt", "/tmp"))
    names = [str(tmp_path / path.name) for path in UNITS]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True
    )
    ours = [line for line in checked.stderr.splitlines() if "portal" in line]
    assert ours == []


def test_nginx_accepts_the_front(tmp_path):
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("nginx is not here")
    certificate, key = tmp_path / "portal.crt", tmp_path / "portal.key"
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=portal")
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    front = (DEPLOY / "nginx-front.conf").read_text("utf-8")
    front = re.sub(
        r"listen (\d+)", r"listen 127.0.0.1:20\1", front.replace("/etc/ssl/portal", str(tmp_path))
    )
    whole = f"pid {tmp_path}/pid; events {{}} http {{ {front} }}"
    (tmp_path / "nginx.conf").write_text(whole, "utf-8")
    command = [nginx, "-t", "-q", "-e", "stderr", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
