"""Differences between two runs of one experiment, paired by query, visitor or person, with 95 % intervals.

    python benchmarks/paired_runs.py BEFORE AFTER --pair query --by space --by task --measure recall@10

BEFORE and AFTER are folders that `vernissage lab experiment run` wrote with equal seeds, of workspaces with the same
works and other encoders. Rows of equal ``--by``, encoder or engine, are compared where both runs have the pair.
"""

import argparse
from pathlib import Path

from vernissage_lab.tables import differences, read_table


def main() -> None:
    """Print a line for each group and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--pair", required=True, help="column that says which rows belong together")
    parser.add_argument("--by", action="append", default=[], help="columns whose equal values make a group; repeat")
    parser.add_argument("--measure", action="append", required=True, help="column to compare; repeat")
    options = parser.parse_args()
    runs = {"before": options.before, "after": options.after}
    rows = [{**row, "run": name} for name, folder in runs.items() for row in read_table(folder, "values")]
    for measure in options.measure:
        for row in differences(rows, options.by, ("run",), ("before",), measure, options.pair):
            group = " ".join(f"{row[column]:16s}" for column in options.by)
            change = f"{row['difference']:+.3f} ±{row['se']:.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
            print(f"{group}{measure:16s}{change}  p {row['p']:.2g}, n {row['n']}")


if __name__ == "__main__":
    main()
