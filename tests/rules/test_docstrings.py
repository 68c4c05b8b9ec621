"""The examples in the docstrings of rules say what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import trioweb.rules

MODULES = [module.name for module in pkgutil.iter_modules(trioweb.rules.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"trioweb.rules.{name}")
    assert doctest.testmod(module).failed == 0
