#!/usr/bin/env python3
"""Finds the kernels' inner loops in assembly and asks llvm-mca how many cycles they take.

usage: loop_cycles.py MCA CPU FILE.s ...

The loop over blocks of a format and a number of columns stands in the function Kernel<…quant::FORMAT…>::run<COLUMNS> of
src/kernels/neon. For formats with several such blocks in one of the file it is the inner one of the two loops in
run_whole<COLUMNS> and is simulated as it runs: as often as there are blocks, inside the outer one. Prints `FORMAT COLUMNS CYCLES` a line: cycles per 32 weights and column.
"""
import re
import subprocess
import sys

ROWS = 4  # that a loop works on at a time
FILE_BLOCKS = {"Q1_0": 4, "Q2_0": 2}  # blocks of 32 in one of the file, where they are not SUPER_BLOCK_BLOCKS
SUPER_BLOCK_BLOCKS = 8
PRODUCT = re.compile(r"^\s+sm(?:ul|la)l2?\s+v\d+\.8h")  # of bytes; sixteen for a block of 32 of ROWS rows and a column
CHOICE = re.compile(r"^\s+sad(?:dl|al)p\s+v\d+\.8h")  # sums of chosen bytes (Q1_0): half as many
PRODUCTS_A_BLOCK = 16
KERNEL = re.compile(r"(?: |::)BlockKernel<.*?quant::(\w+).*::run<(\d+)ul>|(?:Super|Headed)BlockKernel<.*?quant::(\w+).*::run_whole<(\d+)ul>")
FUNCTION = re.compile(r"^(_Z\w+(?:\.\w+)*):")
LABEL = re.compile(r"^(\.L\w+):")
BRANCH = re.compile(r"^\s+(?:b\.?\w*|cbn?z|tbn?z)\s.*?(\.L\w+)$")
INSTRUCTION = re.compile(r"^\s+[a-z]")


def text_of(line):
    return line.split("//")[0].rstrip()


def functions(path):
    """Mangled name and lines of every function."""
    name, lines = None, []
    with open(path, encoding="utf-8") as file:
        for line in map(text_of, file):
            if begin := FUNCTION.match(line):
                name, lines = begin[1], []
            elif re.match(r"\s*\.size\b", line) and name:
                yield name, lines
                name = None
            else:
                lines.append(line)


def demangled(names):
    run = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    return run.stdout.split("\n")


def loops(lines):
    """(first, last) lines of each label with its last branch back, the smallest first."""
    labels, found = {}, {}
    for number, line in enumerate(lines):
        if label := LABEL.match(line):
            labels[label[1]] = number
        elif (branch := BRANCH.match(line)) and branch[1] in labels:
            found[labels[branch[1]]] = number
    return sorted(found.items(), key=lambda loop: loop[1] - loop[0])


def instructions(lines, first, last):
    """Without labels and directives. A branch goes nowhere in a simulation."""
    for line in lines[first:last + 1]:
        if INSTRUCTION.match(line):
            yield re.sub(r"\.L\w+$", "0", line)


def simulated(name, lines, columns, file_blocks=SUPER_BLOCK_BLOCKS):
    """The instructions of the loop and how many blocks of 32 of ROWS rows they work on."""
    nest = loops(lines)
    if not nest:
        raise SystemExit(f"{name} has no loop")
    (first, last), *outer = nest
    body = list(instructions(lines, first, last))
    if any(re.match(r"\s+blr?\s", line) for line in body):
        raise SystemExit(f"the loop of {name} calls a function: it must be inlined")
    n_products = sum(1 if PRODUCT.match(line) else 2 if CHOICE.match(line) else 0 for line in body)
    n_blocks, rest = divmod(n_products, PRODUCTS_A_BLOCK * columns)
    if n_blocks == 0 or rest:
        raise SystemExit(f"the loop of {name} has {n_products} products of bytes: no whole blocks")
    if not outer:
        return body, n_blocks
    (outer_first, outer_last), *more = outer
    if more or outer_first > first or outer_last < last:
        raise SystemExit(f"{name} has more than a loop over blocks within one over blocks of the file")
    times, rest = divmod(file_blocks, n_blocks)
    if rest:
        raise SystemExit(f"the loop of {name} takes {n_blocks} blocks at a time: no whole blocks of the file")
    return [*instructions(lines, outer_first, first - 1), *(times * body),
            *instructions(lines, last + 1, outer_last)], file_blocks


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
        found = dict(functions(path))
        for name, mangled in zip(demangled(found), found):
            if kernel := KERNEL.search(name):
                kind, columns = [part for part in kernel.groups() if part]
                text, n_blocks = simulated(name, found[mangled], int(columns),
                                           FILE_BLOCKS.get(kind, SUPER_BLOCK_BLOCKS))
                print(kind, columns, f"{cycles(mca, cpu, text) / (ROWS * n_blocks * int(columns)):.3f}")


if __name__ == "__main__":
    main()
