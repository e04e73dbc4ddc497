"""The proxy's configuration, and what keeps it from being made."""

import re
from pathlib import Path

import pytest
from uvicorn import Config

from data_access import proxy
from data_access.proxy import Proxy
from data_access.settings import Refusal, Settings, read_settings


def make(count: int, **changes) -> str:
    fields = {
        "program": "nginx",
        "folder": Path("/srv/portal/proxy"),
        "address": "127.0.0.1",
        "port": 8501,
        "web_ports": tuple(range(8502, 8502 + count)),
        "seats_per_process": 50,
    } | changes
    return Proxy(**fields).configuration()


def test_every_process_has_the_others_behind_it():
    text = make(3)
    for number in (1, 2, 3):
        pool = text.split(f"upstream portal_{number} {{")[1].split("}")[0]
        lines = [line for line in pool.strip().splitlines() if "server " in line]
        servers = [line.split()[1].split(":")[1] for line in lines]
        assert servers == ["8502", "8503", "8504"]
        alone = [line for line in lines if "backup" not in line]
        assert [f":{8501 + number} " in line for line in alone] == [True]


def test_connections_to_a_process_are_kept_for_less_time_than_it_keeps_them():
    text = make(2)
    kept = [float(found) for found in re.findall(r"keepalive_timeout (\d+)s;\s*}", text)]
    assert len(kept) == len(re.findall(r"upstream \w+ {", text)) == 3
    assert max(kept) < Config("app").timeout_keep_alive


def test_the_door_closes_before_the_last_seat():
    text = make(2)
    assert "limit_conn seats 100;" in text
    assert "limit_conn seats 90;" in text
    assert "limit_conn seats 1;" in make(1, seats_per_process=1)


def test_nothing_of_the_template_is_left_open():
    assert re.search(r"@[A-Z_]+@", make(2, address="::", fronts=("10.0.0.0/8",))) is None
    assert "listen [::]:8501" in make(2, address="::")


def test_only_the_loopback_and_the_named_may_say_where_a_request_comes_from():
    text = make(1, fronts=("192.0.2.7/32",))
    named = [line.split()[1] for line in text.splitlines() if "set_real_ip_from" in line]
    assert named == ["127.0.0.1;", "::1;", "192.0.2.7/32;"]


def test_addresses_that_are_none_are_refused():
    assert read_settings(environment={"PORTAL_TRUSTED_PROXIES": "10.0.0.1, 192.0.2.0/24"})
    with pytest.raises(Refusal, match="PORTAL_TRUSTED_PROXIES"):
        read_settings(environment={"PORTAL_TRUSTED_PROXIES": "10.0.0.1; include /etc/passwd"})


def test_without_nginx_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(proxy.shutil, "which", lambda *_, **__: None)
    with pytest.raises(Refusal, match="install Debian's nginx"):
        proxy.make_proxy(Settings(tmp_path), address="::", port=1, web_ports=[2, 3])
