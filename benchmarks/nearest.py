"""Precision@10 of labels among the nearest works, by every table of vectors of a workspace, and by sums of z-scores.

    python benchmarks/nearest.py WORKSPACE --label group --label artist
    python benchmarks/nearest.py WORKSPACE --label group --modality text --join lsa+wordllama --against lsa

For every work whose label at least one other work bears, the share of its ten nearest works that bear it too, as in
`colour_texture.py`. Works that all tables know are compared; differences from ``--against`` are paired by work, with
their standard error. Joined encoders are compared by the sum of their cosines as z-scores over each work's row.
"""

import argparse
from functools import reduce
from pathlib import Path

import numpy as np

from colour_texture import Rows, neighbour_shares
from vernissage.workspace.workspace import open_workspace
from vernissage_lab.analysis.paired import paired_difference


def main() -> None:
    """Measure what is asked for, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--label", action="append", required=True, help="column to compare by; may be repeated")
    parser.add_argument("--modality", choices=["image", "text"], default="image")
    parser.add_argument("--join", action="append", default=[], help="encoders with + between them; may be repeated")
    parser.add_argument("--against", help="the encoder that others are compared with; default: the first")
    options = parser.parse_args()
    workspace = open_workspace(options.workspace)
    names = [name for name in workspace.encoder_names if options.modality in workspace.modalities(name)]
    tables = {name: workspace.table(name, options.modality) for name in names}
    known = reduce(set.intersection, (set(table.item_ids) for table in tables.values()))
    rows = [row for row, item_id in enumerate(workspace.collection.ids) if item_id in known]
    ids = [workspace.collection.ids[row] for row in rows]
    vectors = {name: table.vectors[table.rows(ids)] for name, table in tables.items()}
    columns = {label: [workspace.collection.texts(label)[row] for row in rows] for label in options.label}
    found = {each: _shares(vectors, each, columns) for each in (*names, *options.join)}
    print(f"{len(ids)} works\n{'':60s}" + "".join(f"{label:>26s}" for label in columns))
    base = found[options.against or names[0]]
    for name, by_label in found.items():
        cells = ""
        for label, shares in by_label.items():
            given = ~np.isnan(shares)
            apart = paired_difference(shares[given], base[label][given])
            cells += f"{shares[given].mean():12.3f} {apart.mean:+.3f} ±{apart.se:.3f}"
        print(f"{name:60s}{cells}")


def _shares(vectors: dict[str, Rows], joined: str, columns: dict[str, list[str]]) -> dict[str, Rows]:
    similarity = sum(_standardised(vectors[name]) for name in joined.split("+"))
    return {label: neighbour_shares(similarity, values) for label, values in columns.items()}


def _standardised(vectors: Rows) -> Rows:
    """The cosines of all pairs, each work's as z-scores."""
    similarity = vectors @ vectors.T
    similarity -= similarity.mean(axis=1, keepdims=True)
    similarity /= similarity.std(axis=1, keepdims=True)
    return similarity


if __name__ == "__main__":
    main()
