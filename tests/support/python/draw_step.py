#!/usr/bin/env python3
"""Draws one decode step of an exported trace as docs/trace_exports/two_ranks.svg shows it.

    draw_step.py FILE.json STEP PICTURE.svg

FILE.json: of `report --export chrome`; STEP must be one whose layers the trace tells of.
"""
import json
import sys

WIDTH, LEFT, ROW, GAP = 960, 130, 26, 10
COLOURS = {"compute": "#0072B2", "wait": "#E69F00", "wire": "#009E73"}  # told apart by the colour-blind too
TRACKS = {1: "compute", 2: "waiting", 3: "wire"}


def main():
    path, step, picture = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(path) as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] in "Xsf"]
    for event in events:
        event["tid"] %= 1000  # the track, on every rank
    spans = [event for event in events if event["ph"] == "X" and event["tid"] in TRACKS and event["args"]["step"] == step]
    begin = min(span["ts"] for span in spans)
    end = max(span["ts"] + span["dur"] for span in spans)
    n_ranks = 1 + max(span["pid"] for span in spans)

    def x(time):
        return LEFT + (time - begin) / (end - begin) * (WIDTH - LEFT - 10)

    def y(rank, track):
        return 24 + rank * (3 * ROW + 2 * GAP) + (track - 1) * ROW

    height = y(n_ranks, 1) + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
           '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" orient="auto">'
           '<path d="M0 0L6 3L0 6z"/></marker></defs>', f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for rank in range(n_ranks):
        for track, name in TRACKS.items():
            out.append(f'<text x="4" y="{y(rank, track) + 15}">rank {rank}, {name}</text>')
            out.append(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y(rank, track) + ROW - 3}" y2="{y(rank, track) + ROW - 3}" '
                       'stroke="#ddd"/>')
    for span in spans:
        width = max(x(span["ts"] + span["dur"]) - x(span["ts"]), 0.3)
        layer = f' of layer {span["args"]["layer"]}' if "layer" in span["args"] else ""
        out.append(f'<rect x="{x(span["ts"]):.1f}" y="{y(span["pid"], span["tid"])}" width="{width:.1f}" height="{ROW - 4}" '
                   f'fill="{COLOURS[span["cat"]]}" stroke="white" stroke-width="0.3">'
                   f'<title>{span["name"]}{layer}: {span["dur"]:.0f} microseconds</title></rect>')
    flows = {}
    for event in events:
        if event["ph"] in "sf" and begin <= event["ts"] < end:
            flows.setdefault(event["id"], {})[event["ph"]] = event
    for flow in flows.values():
        if len(flow) == 2:
            a, b = flow["s"], flow["f"]
            out.append(f'<line x1="{x(a["ts"]):.1f}" y1="{y(a["pid"], a["tid"]) + 8}" x2="{x(b["ts"]):.1f}" y2="{y(b["pid"], b["tid"]) + 14}" '
                       'stroke="black" stroke-width="0.7" marker-end="url(#tip)"/>')
    axis = height - 14
    out.append(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{axis}" y2="{axis}" stroke="black"/>')
    for tick in range(6):
        time = begin + tick * (end - begin) / 5
        anchor = "start" if tick == 0 else "end" if tick == 5 else "middle"
        out.append(f'<text x="{x(time):.0f}" y="{axis + 12}" text-anchor="{anchor}">{(time - begin) / 1000:.2f} ms</text>')
    out.append("</svg>")
    with open(picture, "w") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
