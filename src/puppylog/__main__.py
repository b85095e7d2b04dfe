"""``python -m puppylog``."""

from puppylog.cli.main import main

if __name__ == "__main__":
    main()
