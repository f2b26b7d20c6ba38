"""The documents hold: links lead somewhere, and every script, file, preset and flag that a command uses exists.

usage: docs_test.py PILLAR
"""

import functools
import re
import subprocess
import sys
import unittest

import documents
import support

PILLAR = sys.argv[1] if len(sys.argv) > 1 else ""
ROOT = documents.ROOT
SUBCOMMANDS = ("run", "logits", "inspect", "tokenize", "report")


@functools.cache
def flags_of(subcommand):
    result = subprocess.run([PILLAR, subcommand, "--help"], capture_output=True, text=True, check=True)
    return documents.flags_in_help(result.stdout)


def flags_among(words):
    return [word.split("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]


class Documents(unittest.TestCase):
    def each(self):
        for document in documents.documents():
            with self.subTest(document=document.name):
                yield document

    def each_command(self):
        for document in self.each():
            for _, text in documents.shell_blocks(document):
                for words in documents.commands(text):
                    with self.subTest(command=" ".join(words)):
                        yield words

    def test_links_lead_somewhere(self):
        for document in self.each():
            for path, anchor in documents.links(document):
                target = (document.parent / path) if path else document
                self.assertTrue(target.exists(), f"{path} does not exist")
                if anchor:
                    self.assertIn(anchor, set(documents.anchors(target)), f"no heading #{anchor} in {target.name}")

    def test_shell_blocks_say_what_they_need(self):
        for document in self.each():
            for need, _ in documents.shell_blocks(document):
                self.assertIn(need, documents.NEEDS)

    def test_scripts_and_files_exist(self):
        for words in self.each_command():
            for word in words:
                if re.match(r"(\./)?(jobs|hostfiles|cmake|docs|tests)/[\w./-]+$", word):
                    self.assertTrue((ROOT / word).exists(), f"{word} does not exist")

    def test_presets_exist(self):
        presets = set(re.findall(r'"name": "(\w+)"', (ROOT / "CMakePresets.json").read_text()))
        for words in self.each_command():
            if "--preset" in words:
                self.assertIn(words[words.index("--preset") + 1], presets)

    def test_flags_of_subcommands_exist(self):
        n_checked = 0
        for words in self.each_command():
            if "--" in words:  # behind launch.sh and strong_scaling.sh
                words = ["pillar", *words[words.index("--") + 1:]]
            for i, word in enumerate(words):
                if not word.endswith("pillar") or i + 1 == len(words) or words[i + 1] not in SUBCOMMANDS:
                    continue
                for flag in flags_among(words[i + 2:]):
                    n_checked += 1
                    self.assertIn(flag, flags_of(words[i + 1]), f"pillar {words[i + 1]} has no {flag}")
        self.assertGreater(n_checked, 20)

    def test_flags_of_scripts_exist(self):
        for words in self.each_command():
            scripts = [i for i, word in enumerate(words) if re.fullmatch(r"(\./)?jobs/\w+\.sh", word)]
            if not scripts:
                continue
            text = (ROOT / words[scripts[0]]).read_text()
            own = words[scripts[0] + 1:]
            own = own[:own.index("--")] if "--" in own else own
            if "slurm" in words[scripts[0]]:
                continue  # they hand everything on
            for flag in flags_among(own):
                self.assertIn(flag, text, f"{words[scripts[0]]} does not know {flag}")


class CommandLine(unittest.TestCase):
    """docs/command_line.md against the program."""

    def sections(self):
        text = (ROOT / "docs/command_line.md").read_text()
        return dict(re.findall(r"^## `?(\w+)`?\n(.*?)(?=^## |\Z)", text, re.M | re.S))

    def test_every_subcommand_has_its_section(self):
        listed = subprocess.run([PILLAR, "--help"], capture_output=True, text=True, check=True).stdout
        names = re.findall(r"^  (\w+) {2,}", listed.split("Subcommands:")[1], re.M)
        self.assertGreaterEqual(len(names), len(SUBCOMMANDS))
        for name in names:
            self.assertIn(name, self.sections())

    def test_flags_are_those_of_the_program(self):
        for name, text in self.sections().items():
            if name not in SUBCOMMANDS:
                continue
            shared = self.sections()["model"] if "#model" in text else ""
            shared += self.sections()["sampling"] if "#sampling" in text else ""
            shared += self.sections()["prompt"] if "#prompt" in text else ""
            rows = re.findall(r"^\| (`-.*?) \|", text + shared, re.M)
            told = {flag for row in rows for flag in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", row)}
            offered = flags_of(name) - {"-h", "--help"}
            with self.subTest(subcommand=name):
                self.assertEqual(told - offered, set(), "told but not there")
                self.assertEqual(offered - told, set(), "there but not told")


class Names(unittest.TestCase):
    def test_no_document_or_script_holds_a_path_of_one_machine(self):
        for pattern in ("*.md", "docs/*.md", "jobs/*", "hostfiles/*", ".ci/*"):
            for path in ROOT.glob(pattern):
                for word in re.findall(r"(?<![\w/$}])/(?:home|root|work|tmp)/\S+", path.read_text()):
                    self.fail(f"{path.name}: {word}")


if __name__ == "__main__":
    support.main()
