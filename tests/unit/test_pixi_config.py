"""Where pixi is told to keep its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.stores.pixi_config import override_file
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home


NOTHING = ("", False)


def setting(path: str) -> str:
    return f'authentication-override-file = "{path}"\n'


def test_without_a_setting_there_is_none(home: Home) -> None:
    assert override_file(caller_of(home)) == NOTHING
    home.write(".pixi/config.toml", "# authentication-override-file is not set\n")
    assert override_file(caller_of(home)) == NOTHING


def test_the_project_s_counts_more_than_the_home_s_and_that_more_than_xdg_s(home: Home) -> None:
    def there() -> tuple[str, bool]:
        return override_file(Caller(dict(home.env), str(home.path / "work/project/sub")))

    (home.path / "work/project/sub").mkdir(parents=True)
    places = [
        (".config/pixi/config.toml", ("/xdg.json", False)),
        ("pixi-home/config.toml", ("/home.json", False)),
        ("work/.pixi/config.toml", ("/above.json", True)),
        ("work/project/.pixi/config.toml", ("/project.json", True)),
    ]
    home.env["PIXI_HOME"] = str(home.path / "pixi-home")
    for file, (path, of_project) in places:
        home.write(file, setting(path))
        assert there() == (path, of_project)


def test_a_path_below_the_home_and_one_below_the_working_directory(home: Home) -> None:
    home.write(".pixi/config.toml", setting("~/auth.json"))
    assert override_file(caller_of(home)) == (f"{home.path}/auth.json", False)
    home.write(".pixi/config.toml", setting("auth.json"))
    assert override_file(caller_of(home)) == (f"{home.path}/auth.json", False)


@pytest.mark.parametrize("value", ['""', "1", "[]", "true"])
def test_a_value_that_is_no_path_is_none(home: Home, value: str) -> None:
    home.write(".pixi/config.toml", f"authentication-override-file = {value}\n")
    assert override_file(caller_of(home)) == NOTHING


@pytest.mark.parametrize("broken", ["= 1\n", "x = " + "[" * 50_000, "x = " + "9" * 5_000])
def test_a_broken_configuration_that_may_set_it_is_an_error(home: Home, broken: str) -> None:
    path = home.write(".pixi/config.toml", setting("/a") + broken)
    with pytest.raises(StoreError, match="not TOML") as raised:
        override_file(caller_of(home))
    assert str(path) in str(raised.value)


def test_a_broken_configuration_that_cannot_set_it_is_pixi_s_own_business(home: Home) -> None:
    home.write(".pixi/config.toml", "???")
    assert override_file(caller_of(home)) == NOTHING
