"""Where pixi is told to keep its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.stores.pixi_config import override_file, relative_override_file
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home


NOTHING = ""


def setting(path: str) -> str:
    return f'authentication-override-file = "{path}"\n'


def test_without_a_setting_there_is_none(home: Home) -> None:
    assert override_file(caller_of(home))[0] == NOTHING
    home.write(".pixi/config.toml", "# authentication-override-file is not set\n")
    assert override_file(caller_of(home))[0] == NOTHING


def test_the_home_s_counts_more_than_xdg_s_and_a_project_s_is_none_of_the_user_s(
    home: Home,
) -> None:
    def there() -> str:
        return override_file(Caller(dict(home.env), str(home.path / "work/project/sub")))[0]

    (home.path / "work/project/sub").mkdir(parents=True)
    home.env["PIXI_HOME"] = str(home.path / "pixi-home")
    home.write(".config/rattler/config.toml", setting("/shared.json"))
    assert there() == "/shared.json"
    home.env["RATTLER_HOME"] = str(home.path / "rattler-home")
    home.write("rattler-home/config.toml", setting("/named.json"))
    assert there() == "/named.json"
    home.write(".config/pixi/config.toml", setting("/xdg.json"))
    assert there() == "/xdg.json"
    home.write("pixi-home/config.toml", setting("/home.json"))
    assert there() == "/home.json"
    home.write("work/project/pixi.toml", "[workspace]\n")
    home.write("work/project/.pixi/config.toml", setting("/project.json"))
    assert there() == "/home.json"


def test_a_path_below_the_home_is_the_user_s_and_a_relative_one_the_project_s(home: Home) -> None:
    home.write(".pixi/config.toml", setting("~/auth.json"))
    assert override_file(caller_of(home))[0] == f"{home.path}/auth.json"
    assert relative_override_file(caller_of(home)) == ""
    home.write(".pixi/config.toml", setting("auth.json"))
    assert override_file(caller_of(home))[0] == ""
    assert relative_override_file(caller_of(home)) == f"{home.path}/auth.json"


@pytest.mark.parametrize("value", ['""', "1", "[]", "true"])
def test_a_value_that_is_no_path_is_none(home: Home, value: str) -> None:
    home.write(".pixi/config.toml", f"authentication-override-file = {value}\n")
    assert override_file(caller_of(home))[0] == NOTHING


@pytest.mark.parametrize("broken", ["= 1\n", "x = " + "[" * 50_000, "x = " + "9" * 5_000])
def test_a_broken_configuration_that_may_set_it_is_an_error(home: Home, broken: str) -> None:
    path = home.write(".pixi/config.toml", setting("/a") + broken)
    with pytest.raises(StoreError, match="not TOML") as raised:
        override_file(caller_of(home))
    assert str(path) in str(raised.value)


def test_a_broken_configuration_that_cannot_set_it_is_pixi_s_own_business(home: Home) -> None:
    home.write(".pixi/config.toml", "???")
    assert override_file(caller_of(home))[0] == NOTHING
