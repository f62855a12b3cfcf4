"""Build the incident `flights-storm` alone: `python -m rca.practice.flights OUT`."""

import sys

from rca.practice import simulate


def main(arguments: list[str]) -> int:
    """Rebuild the extract below the folder that is named."""
    return simulate.main([*arguments[:1], "flights-storm"] if arguments else [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
