"""What the gate rests on: the layers, and the list of settings."""

import re

from importlinter.cli import lint_imports

from tests.environment import ROOT, names_of_settings


def test_imports_point_one_way():
    assert lint_imports(no_cache=True) == 0


def test_the_example_names_exactly_the_variables_that_are_read():
    example = (ROOT / ".env.example").read_text()
    named = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE)

    assert sorted(named) == sorted(names_of_settings())


def test_the_readme_explains_every_variable():
    readme = (ROOT / "README.md").read_text()

    assert [name for name in names_of_settings() if f"`{name}`" not in readme] == []
