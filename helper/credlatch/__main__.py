"""The frozen program's door."""

from credlatch.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
