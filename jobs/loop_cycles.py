#!/usr/bin/env python3
"""Finds the marked loops in assembly and asks llvm-mca how many cycles an iteration takes.

usage: loop_cycles.py MCA CPU FILE.s ...

A marker is a comment `// pillar-loop FORMAT COLUMNS` (FORMAT: the number of the type in GGUF) inside the loop over the
blocks of 32 of 4 rows. The loop is the smallest piece of text around the marker from a label to a branch back to it;
for formats of super-blocks it stands eight times inside the loop over super-blocks, and so it is simulated. Prints
`FORMAT COLUMNS CYCLES` a line, cycles per 32 weights and column.
"""
import collections
import re
import subprocess
import sys

ROWS = 4
SUPER_BLOCK_BLOCKS = 8
NAMES = {2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K",
         14: "Q6_K", 20: "IQ4_NL", 23: "IQ4_XS"}
SUPER_BLOCKS = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"}

MARKER = re.compile(r"//\s*pillar-loop #?(\d+) #?(\d+)")
LABEL = re.compile(r"^(\.L\w+):")
BRANCH = re.compile(r"^\s+(?:b\.?\w*|cbn?z|tbn?z)\s.*?(\.L\w+)\s*$")
INSTRUCTION = re.compile(r"^\s+[a-z]")

Loop = collections.namedtuple("Loop", "begin end")  # line numbers of the label and of the branch


def find_loops(lines):
    """Every label with its last branch back, within a function."""
    labels = {}
    loops = {}
    for number, line in enumerate(lines):
        text = line.split("//")[0].rstrip()
        if re.match(r"^\s*\.size\b|^\s*\.cfi_endproc", text):
            labels = {}
        if label := LABEL.match(text):
            labels[label[1]] = number
        elif (branch := BRANCH.match(text)) and branch[1] in labels:
            loops[labels[branch[1]]] = number
    return [Loop(begin, end) for begin, end in loops.items()]


def instructions(lines, begin, end):
    """Lines [begin, end] without labels, directives and comments. A branch goes nowhere in a simulation."""
    for line in lines[begin:end + 1]:
        text = line.split("//")[0].rstrip()
        if INSTRUCTION.match(text):
            yield re.sub(r"\.L\w+$", "0", text) if BRANCH.match(text) else text


def simulated_text(lines, loops, marker, is_super_block):
    around = sorted((loop for loop in loops if loop.begin < marker <= loop.end), key=lambda l: l.end - l.begin)
    if len(around) < (2 if is_super_block else 1):
        raise SystemExit(f"line {marker + 1}: the marker stands in no loop")
    inner = around[0]
    body = list(instructions(lines, *inner))
    if not is_super_block:
        return body
    outer = around[1]
    return [*instructions(lines, outer.begin, inner.begin - 1), *(SUPER_BLOCK_BLOCKS * body),
            *instructions(lines, inner.end + 1, outer.end)]


def total_cycles(mca, cpu, text, iterations):
    run = subprocess.run([mca, "-march=aarch64", f"-mcpu={cpu}", f"-iterations={iterations}"], input="\n".join(text),
                         capture_output=True, text=True, check=False)
    found = re.search(r"^Total Cycles:\s+(\d+)", run.stdout, re.MULTILINE)
    if run.returncode != 0 or not found:
        raise SystemExit(f"{mca} failed: {run.stderr}")
    return int(found[1])


def cycles(mca, cpu, text):
    """Of one iteration, once the loop has settled."""
    few, many = 20, 120
    return (total_cycles(mca, cpu, text, many) - total_cycles(mca, cpu, text, few)) / (many - few)


def main():
    mca, cpu, *paths = sys.argv[1:]
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        loops = find_loops(lines)
        for number, line in enumerate(lines):
            marker = MARKER.search(line)
            if not marker:
                continue
            name, columns = NAMES[int(marker[1])], int(marker[2])
            is_super_block = name in SUPER_BLOCKS
            text = simulated_text(lines, loops, number, is_super_block)
            products = ROWS * columns * (SUPER_BLOCK_BLOCKS if is_super_block else 1)
            print(f"{name} {columns} {cycles(mca, cpu, text) / products:.2f}")


if __name__ == "__main__":
    main()
