"""``python -m trioweb``: the same as the command ``trioweb``."""

from trioweb.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
