"""Reads README.md and docs/*.md for the tests: fenced blocks, the commands in them, links and headings.

The first word after ``` is `sh` for shell commands; a second word says what they need:
    (none)   a built clone with the demo model: docs.run executes them
    setup    an own machine: what the scripts' tests and continuous integration do
    boards   a cluster
    root     what network namespaces need
    slurm    a Slurm installation
"""

import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEEDS = ("", "setup", "boards", "root", "slurm")


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document):
    """(language, need, text) of every fenced block."""
    for match in re.finditer(r"^```(\S*) ?(\S*)\n(.*?)^```$", document.read_text(), re.M | re.S):
        yield match.groups()


def shell_blocks(document):
    for language, need, text in blocks(document):
        if language == "sh":
            yield need, text


def commands(text):
    """The words of every simple command in a block: lines joined at \\, comments dropped, cut at ; | && and the like."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()<>")
        lexer.whitespace_split = True
        words = []
        for word in lexer:
            if set(word) <= set(";|&()<>"):
                if words:
                    yield words
                words = []
            elif word not in ("do", "done", "for", "then", "if"):
                words.append(word)
        if words:
            yield words


def prose(document):
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)


def links(document):
    """(target, anchor) of every relative link."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors(document):
    """What headings are called in a link, as git hosts make it."""
    for heading in re.findall(r"^#+ (.+)$", prose(document), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def rows_in_help(text):
    """The names of every option of a help text, one list an option."""
    rows = re.findall(r"^  (-{1,2}[\w-]+(?:,\s*-{1,2}[\w-]+)*)", text, re.M)
    return [sorted(re.split(r",\s*", names)) for names in rows]


def flags_in_help(text):
    """Every flag that a help text offers, also the negated one of a pair."""
    flags = set()
    for line in text.splitlines():
        names = re.match(r"\s+(-{1,2}[\w-]+(?:,\s*-{1,2}[\w-]+)*)", line)
        if names:
            flags.update(re.findall(r"--?[a-zA-Z][\w-]*", names.group(1)))
    for negated in re.findall(r"--no-[\w-]+", text):
        flags.add(negated)
    return flags
