#!/usr/bin/env python3
"""Holds the tree against the rules of docs/architecture.md; prints one line a violation and exits with 1 if there is any.

    check.py [ROOT]

Rules: include-table, include-cycle, library (who alone may include a library), no-libm, no-print, pragma-once,
file-length, folder-size, machine-path, left-over.
"""
import pathlib
import posixpath
import re
import sys
from collections import namedtuple

from include_table import find_cycle, read_isa_folders, read_table
from source_text import code_only, includes, line_of

Violation = namedtuple("Violation", "path line rule text")

MOST_LINES = 350
MOST_FILES = 15  # of one folder, those of its sub-folders not counted
RECORDED = pathlib.PurePosixPath("tests/data")  # recorded data, whose files are named by what they hold
# header pattern → modules that may include it
MODULES = [
    (re.compile(r"mpi\.h|mpi-ext\.h"), {"comm"}),
    (re.compile(r"hdf5(_hl)?\.h|H5\w*\.h"), {"storage"}),
    (re.compile(r"omp\.h"), {"threads"}),
    (re.compile(r"pcre2(posix)?\.h"), {"tokenizer"}),
    (re.compile(r"CLI/.*"), {"arguments"}),
    (re.compile(r"nlohmann/.*"), {"perf", "tables", "check", "chat", "batch", "exports"}),
    (re.compile(r"otf2/.*"), {"exports"}),
]
INTRINSICS = re.compile(r"(\w*intrin|arm_\w+)\.h")
PRAGMA_OMP = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+omp\b|\b_Pragma\b|\bomp_\w+\s*\(", re.MULTILINE)
WHERE_BITS_COUNT = {"core", "kernels", "model", "forward", "sampling", "tokenizer", "engine"}
_TRANSCENDENTAL = (r"exp|exp2|exp10|expm1|log|log2|log10|log1p|sin|cos|tan|sincos|asin|acos|atan|atan2|sinh|cosh|tanh"
                   r"|asinh|acosh|atanh|pow|cbrt|hypot|erf|erfc|tgamma|lgamma")
LIBM = re.compile(rf"(?<![\w.>:])(?:(?:::\s*)?std\s*::\s*(?:{_TRANSCENDENTAL})[fl]?\b(?!\s*::)"
                  rf"|(?:::\s*|__builtin_)?(?:{_TRANSCENDENTAL})[fl]?\s*\()")
PRINT = re.compile(r"\bstd\s*::\s*(?:cout|cerr|clog)\b|\bv?f?printf\s*\(|\bf?puts\s*\(|\bputchar\s*\("
                   r"|\bfmt\s*::\s*v?print(?:ln)?\s*\(")
MACHINE_PATH = re.compile(r"(?<![\w.~$})-])/(?:work/|home/\w|root/|Users/|tmp/w/)")
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
TEXT_FOLDERS = ("src", "include", "tests", "jobs", "cmake", "docs", "hostfiles", ".ci")
TEXT_SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".py", ".sh", ".cmake", ".md", ".txt", ".json", ".sbatch", ".gp", ".plt", ""}


def module_of(path):
    """The module of src/<module>/… or include/pillar/<module>/…; "main" for src/main.cpp; None elsewhere."""
    parts = path.parts
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else "main"
    if parts[:2] == ("include", "pillar") and len(parts) > 3:
        return parts[2]
    return None


def is_isa_file(path, isa_folders):
    return path.parts[:2] == ("src", "kernels") and len(path.parts) > 3 and path.parts[2] in isa_folders


def check_includes(path, text, table, isa_folders):
    module = module_of(path)
    if module not in table:
        yield Violation(path, 1, "include-table", f"{module} is no module of CMakeLists.txt")
        return
    for line, header in includes(text):
        other = re.match(r"pillar/(\w+)/", header)
        if other and other[1] != module and other[1] not in table[module]:
            yield Violation(path, line, "include-table", f"{module} may not include {header}")
        if ".." in header.split("/"):
            target = pathlib.PurePosixPath(posixpath.normpath(path.parent / header))
            if target.parts[:2] != path.parts[:2] or module_of(target) != module:
                yield Violation(path, line, "include-table", f"{header} leaves its module")
        for pattern, modules in MODULES:
            if pattern.fullmatch(header) and module not in modules:
                yield Violation(path, line, "library", f"only {', '.join(sorted(modules))} may include {header}")
        if INTRINSICS.fullmatch(header) and not is_isa_file(path, isa_folders):
            yield Violation(path, line, "library", f"only src/kernels/<instruction set>/ may include {header}")


def check_code(path, text):
    module = module_of(path)
    code = code_only(text)

    def found(pattern, rule, sentence):
        for match in pattern.finditer(code):
            yield Violation(path, line_of(code, match.start()), rule, sentence.format(match[0].strip(" \t(")))

    if module != "threads":
        yield from found(PRAGMA_OMP, "library", "only threads may use OpenMP: {}")
    if module in WHERE_BITS_COUNT and path.parts[:3] != ("src", "core", "elementary"):
        yield from found(LIBM, "no-libm", "{} of the C library: use core/elementary.hpp")
    if module not in ("terminal", "main") and path != pathlib.PurePosixPath("src/core/log.cpp"):
        yield from found(PRINT, "no-print", "{}: only terminal, main and the log print")
    if path.suffix == ".hpp" and not re.search(r"^#pragma once$", code, re.MULTILINE):
        yield Violation(path, 1, "pragma-once", "a header begins with #pragma once")


def check_text(path, text):
    n_lines = text.count("\n")
    if path.parts[0] in ("src", "include") and n_lines > MOST_LINES:
        yield Violation(path, n_lines, "file-length", f"{n_lines} lines, more than {MOST_LINES}: split it")
    for pattern, rule, sentence in ((MACHINE_PATH, "machine-path", "a path of one machine: {}"),
                                    (LEFT_OVER, "left-over", "{}: finish it or take it out")):
        for match in pattern.finditer(text):
            yield Violation(path, line_of(text, match.start()), rule, sentence.format(match[0]))


def text_files(root):
    """Paths relative to root, this folder left out: it has to name what it forbids."""
    files = [f for f in root.iterdir() if f.is_file()]
    for folder in TEXT_FOLDERS:
        files += (f for f in (root / folder).rglob("*") if f.is_file())
    for file in sorted(files):
        path = pathlib.PurePosixPath(file.relative_to(root).as_posix())
        hidden = path.name.startswith(".git") or "__pycache__" in path.parts
        if hidden or path.suffix not in TEXT_SUFFIXES or path.parts[:2] == ("tests", "architecture"):
            continue
        yield path


def check_folders(root):
    """Folders that hold too much. Not the root: programs that are run there leave their outputs."""
    for top in TEXT_FOLDERS:
        for folder in sorted(f for f in [root / top, *(root / top).rglob("*")] if f.is_dir()):
            path = pathlib.PurePosixPath(folder.relative_to(root).as_posix())
            if path.name == "__pycache__" or path.is_relative_to(RECORDED):
                continue
            n_files = sum(f.is_file() for f in folder.iterdir())
            if n_files > MOST_FILES:
                yield Violation(path, 1, "folder-size", f"{n_files} files, more than {MOST_FILES}: make sub-folders")


def check_tree(root):
    cmake = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    table = read_table(cmake)
    module_cmake = root / "cmake" / "pillar_module.cmake"
    isa_folders = read_isa_folders(module_cmake.read_text(encoding="utf-8")) if module_cmake.exists() else set()
    violations = []
    cycle = find_cycle(table)
    if cycle:
        violations.append(Violation("CMakeLists.txt", 1, "include-cycle", " → ".join(cycle)))
    for module, used in table.items():
        for unknown in sorted(used - table.keys()):
            violations.append(Violation("CMakeLists.txt", 1, "include-table", f"{module} uses {unknown}, no module"))
    violations += check_folders(root)
    for path in text_files(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # data, not text
        violations += check_text(path, text)
        if path.suffix in (".cpp", ".hpp") and path.parts[0] in ("src", "include"):
            violations += check_includes(path, text, table, isa_folders)
            violations += check_code(path, text)
    return violations


def main():
    default = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    violations = check_tree(root)
    for v in violations:
        print(f"{v.path}:{v.line}: {v.rule}: {v.text}")
    print(f"{len(violations)} violations", file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
