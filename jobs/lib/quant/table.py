#!/usr/bin/env python3
"""The tables and the plot of jobs/quant_matrix.sh, from what the tools said of each row.

usage: table.py FOLDER     reads FOLDER/rows/ROW/{perplexity.txt,bench.json,plan.json,file_size},
                                 writes FOLDER/table.md, table.csv and quality.gnuplot
"""
import csv
import json
import pathlib
import re
import sys

import plot

BOARDS = (1, 2, 4)


def scores(text):
    """Perplexity, its difference to the base's, Kullback-Leibler divergence and the share of same best tokens, each with
    its standard error."""
    wanted = {"ppl": r"Mean PPL\(Q\)", "ppl_difference": r"Mean PPL\(Q\)-PPL\(base\)", "kl": r"Mean +KLD",
              "same_best_percent": "Same top p"}
    found = {}
    for name, pattern in wanted.items():
        match = re.search(rf"^{pattern} *: *(-?[\d.]+|-?nan|-?inf) ± *([\d.]+|-?nan|-?inf)", text, re.M)
        if not match:
            raise SystemExit(f"perplexity said nothing of {name}:\n{text}")
        found[name], found[name + "_error"] = float(match[1]), float(match[2])
    return found


def read_row(folder):
    """One row: column name → value."""
    def text(name):
        return (folder / name).read_text(encoding="utf-8")

    tests, plans = json.loads(text("bench.json")), json.loads(text("plan.json"))
    row = {"row": folder.name, "model_type": tests[0]["model_type"], "tensor_bytes": tests[0]["model_size"],
           "bits_per_weight": 8 * tests[0]["model_size"] / tests[0]["model_n_params"], "file_bytes": None,
           "cache_keys": tests[0]["type_k"], "cache_values": tests[0]["type_v"], **scores(text("perplexity.txt"))}
    if (folder / "file_size").exists():
        row["file_bytes"] = int(text("file_size"))
    for kind in ("prompt", "decode"):  # of several depths the last
        test = next((test for test in reversed(tests) if (test["n_gen"] > 0) == (kind == "decode")), None)
        for column, field in (("tok_per_s", "avg_ts"), ("tok_per_s_deviation", "stddev_ts")):
            row[f"{kind}_{column}"] = test and test[field]
    decodes = [test for test in tests if test["n_gen"] > 0]
    row["depth"] = "/".join(str(test["n_depth"]) for test in decodes)
    row["decode_tok_per_s_by_depth"] = "/".join(speed(test["avg_ts"]) for test in decodes)
    row["other_cpus"] = max((test["other_cpus"] or 0 for test in tests), default=0)
    row["profile"], row["plan_context"] = plans[0]["profile"], plans[0]["n_context"]
    for boards, plan in zip(BOARDS, plans, strict=True):
        row[f"plan_{boards}_fits"] = int(plan["fits"])
        row[f"plan_{boards}_prompt_tok_per_s"] = plan["prompt_tokens_per_s"]
        row[f"plan_{boards}_decode_tok_per_s"] = plan["decode_tokens_per_s"]
        row[f"plan_{boards}_kv_cache_bytes"] = plan["kv_cache_bytes"]
    return row


def whole_rows(folder):
    """Those that have quality and speed; says how many have one alone."""
    paths = [path for path in (folder / "rows").iterdir() if not path.name.startswith(".")]
    for name, part in (("perplexity.txt", "quality"), ("bench.json", "speed")):
        lacking = [path for path in paths if not (path / name).exists()]
        if lacking:
            print(f"quant_matrix: {len(lacking)} of {len(paths)} rows have no {part} yet", file=sys.stderr)
    return [path for path in paths if (path / "perplexity.txt").exists() and (path / "bench.json").exists()]


def is_cache(row):
    return row["row"].startswith("cache-")


def read_rows(folder):
    """The formats from the largest to the smallest behind the source, then the types of cache likewise."""
    rows = [read_row(path) for path in whole_rows(folder)]
    return sorted(rows, key=lambda row: (is_cache(row), row["row"] != "source", -row["plan_1_kv_cache_bytes"],
                                         -row["tensor_bytes"], row["row"]))


def speed(value):
    return "–" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def on_boards(row, kind):
    return " / ".join(speed(row[f"plan_{n}_{kind}_tok_per_s"]) if row[f"plan_{n}_fits"] else "–" for n in BOARDS)


def quality(row):
    return [f"{row['ppl']:.3f} ± {row['ppl_error']:.3f}", f"{row['ppl_difference']:+.3f} ± {row['ppl_difference_error']:.3f}",
            f"{row['kl']:.5f}", f"{row['same_best_percent']:.1f} %"]


def table(head, lines):
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, rule, *lines))


def kind_of_source(row):
    """The format that the source's name says it has: "llama 135M Q4_1" is one of Q4_1."""
    return row["model_type"].split()[-1]


def markdown(rows):
    formats = [row for row in rows if not is_cache(row)]
    caches = [row for row in rows if is_cache(row)]
    text = ""
    if formats:
        head = ["format", "MB", "bits a weight", "PPL", "ΔPPL", "KL", "same best", "prompt here", "decode here",
                "prompt, 1 / 2 / 4 boards", "decode, 1 / 2 / 4 boards", "fits on"]
        text += table(head, [[
            f"source ({kind_of_source(row)})" if row["row"] == "source" else row["row"], f"{row['file_bytes'] / 1e6:.1f}",
            f"{row['bits_per_weight']:.2f}", *quality(row), speed(row["prompt_tok_per_s"]), speed(row["decode_tok_per_s"]),
            on_boards(row, "prompt"), on_boards(row, "decode"),
            ", ".join(str(n) for n in BOARDS if row[f"plan_{n}_fits"]) or "none",
        ] for row in formats]) + "\n"
    if caches:
        depths, context = caches[0]["depth"].split("/"), caches[0]["plan_context"]
        head = ["keys / values", f"MB at {context}", "PPL", "ΔPPL", "KL", "same best", f"decode here @ {' / '.join(depths)}",
                f"decode @ {depths[-1]}, 1 / 2 / 4 boards"]
        text += table(head, [[f"{row['cache_keys']} / {row['cache_values']}", f"{row['plan_1_kv_cache_bytes'] / 1e6:.1f}",
                              *quality(row), row["decode_tok_per_s_by_depth"].replace("/", " / "), on_boards(row, "decode")]
                             for row in caches]) + "\n"
    text += (f"Speeds are tokens a second; boards: {rows[0]['profile']}, as `plan` predicts with {rows[0]['plan_context']} "
             "positions. Quality is against the source's own logits.\n")
    busy = max(row["other_cpus"] for row in rows)
    if busy >= 0.1:
        text += f"Other programs kept up to {busy:.1f} CPUs busy: what was measured here is too slow.\n"
    return text


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = read_rows(folder)
    if not rows:
        raise SystemExit(f"{folder} has no rows")
    (folder / "table.md").write_text(markdown(rows), encoding="utf-8")
    with open(folder / "table.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "quality.gnuplot").write_text(plot.script(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
