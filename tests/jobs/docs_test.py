"""The documents hold: links lead somewhere, and every script, file, preset and flag that a command uses exists.

usage: docs_test.py PILLAR
"""

import functools
import pathlib
import re
import subprocess
import sys
import unittest

import documents
import support

PILLAR = sys.argv[1] if len(sys.argv) > 1 else ""
ROOT = documents.ROOT
HANDING_ON = {"jobs/strong_scaling.sh": "jobs/launch.sh", "jobs/sweep.sh": "jobs/launch.sh"}  # flags it does not know itself


def output_of(*arguments):
    return subprocess.run([PILLAR, *arguments], capture_output=True, text=True, check=True).stdout


@functools.cache
def subcommands():
    return re.findall(r"^  (\w+) {2,}", output_of("--help").split("Subcommands:")[1], re.M)


@functools.cache
def flags_of(subcommand):
    return documents.flags_in_help(output_of(subcommand, "--help")) - {"-h", "--help"}


def flags_among(words):
    return [word.split("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]


def all_commands():
    for document in documents.documents():
        for _, text in documents.shell_blocks(document):
            for words in documents.commands(text):
                yield document.name, words


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for document in documents.documents():
            for path, anchor in documents.links(document):
                with self.subTest(document=document.name, link=path + "#" + anchor):
                    target = (document.parent / path) if path else document
                    self.assertTrue(target.exists(), "no such file")
                    if anchor:
                        self.assertIn(anchor, set(documents.anchors(target)), "no such heading")

    def test_shell_blocks_say_what_they_need(self):
        for document in documents.documents():
            for need, _ in documents.shell_blocks(document):
                self.assertIn(need, documents.NEEDS, document.name)

    def test_scripts_and_files_exist(self):
        for name, words in all_commands():
            for word in words:
                if re.match(r"(\./)?(jobs|hostfiles|cmake|docs|tests)/[\w./-]+$", word):
                    self.assertTrue((ROOT / word).exists(), f"{name}: {word} does not exist")

    def test_presets_exist(self):
        presets = set(re.findall(r'"name": "(\w+)"', (ROOT / "CMakePresets.json").read_text()))
        for name, words in all_commands():
            if "--preset" in words:
                self.assertIn(words[words.index("--preset") + 1], presets, name)

    def test_flags_of_subcommands_exist(self):
        n_checked = 0
        for name, words in all_commands():
            if "--" in words:  # behind launch.sh and strong_scaling.sh
                words = ["pillar", *words[words.index("--") + 1:]]
            for i, word in enumerate(words[:-1]):
                if not word.endswith("pillar") or not re.fullmatch("[a-z]+", words[i + 1]):
                    continue
                self.assertIn(words[i + 1], subcommands(), name)
                for flag in flags_among(words[i + 2:]):
                    n_checked += 1
                    self.assertIn(flag, flags_of(words[i + 1]), f"{name}: pillar {words[i + 1]} has no {flag}")
        self.assertGreater(n_checked, 20)

    def test_flags_of_scripts_exist(self):
        for name, words in all_commands():
            scripts = [i for i, word in enumerate(words) if re.fullmatch(r"(\./)?jobs/\w+\.sh", word)]
            if not scripts or "slurm" in words[scripts[0]]:  # those hand everything on
                continue
            script = words[scripts[0]].removeprefix("./")
            text = "".join((ROOT / path).read_text() for path in (script, HANDING_ON.get(script)) if path)
            own = words[scripts[0] + 1:]
            for flag in flags_among(own[:own.index("--")] if "--" in own else own):
                self.assertIn(flag, text, f"{name}: {script} does not know {flag}")


class CommandLine(unittest.TestCase):
    """docs/command_line.md against the program."""

    def setUp(self):
        text = (ROOT / "docs/command_line.md").read_text()
        self.sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))

    def test_every_subcommand_has_its_section(self):
        self.assertGreaterEqual(len(subcommands()), 4)
        for name in subcommands():
            self.assertIn(name, self.sections)

    def test_tables_have_the_flags_of_the_program_each_once(self):
        for name in subcommands():
            text = self.sections[name]
            text += "".join(self.sections[shared] for shared in ("model", "prompt", "sampling") if f"(#{shared})" in text)
            rows = re.findall(r"^\| (`-.*?) \|.*$(?!\n\|-)", text, re.M)  # no heads of tables
            told = [sorted(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", row)) for row in rows]
            there = [row for row in documents.rows_in_help(output_of(name, "--help")) if "--help" not in row]
            self.assertEqual(sorted(told), sorted(there), name)


class Names(unittest.TestCase):
    def test_no_document_or_script_holds_a_path_of_one_machine(self):
        for pattern in ("*.md", "docs/**/*.md", "jobs/*", "jobs/lib/*", "jobs/develop/*", "hostfiles/*", ".ci/*"):
            for path in filter(pathlib.Path.is_file, ROOT.glob(pattern)):
                for word in re.findall(r"(?<![\w/$}])/(?:home|root|work|tmp)/\S+", path.read_text()):
                    self.fail(f"{path.name}: {word}")


if __name__ == "__main__":
    support.main()
