"""`tokenize --messages`: prompts of conversations against those that Jinja makes (tests/data/chat), and what it refuses."""

import json
import os
import pathlib
import re
import unittest

import pillar

VECTORS = json.loads((pathlib.Path(os.environ["PILLAR_SOURCE"]) / "tests/data/chat/vectors.json").read_text("utf-8"))
ERROR = rb"(?m)^\[pillar\] error: .*$"


def cases(name):
    """(messages, flags, text) of a template that needs no date; its BOS and EOS are those of the vectors."""
    one = next(one for one in VECTORS["templates"] if one["name"] == name and one["cases"])
    for case in one["cases"]:
        flags = [] if case["generation"] else ["--no-generation-prompt"]
        if case["thinking"] is not None:
            flags += ["--reasoning", "on" if case["thinking"] else "off"]
        yield VECTORS["conversations"][case["conversation"]], flags, case.get("text")


class Messages(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0")

    def file(self, content):
        path = os.path.join(self.folder, "messages.json")
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def tokenize(self, messages, *flags, model=None):
        return pillar.run(None, ["tokenize", "-m", model or self.model, "--messages", self.file(messages), *flags])

    def refuse(self, code, words, messages, *flags):
        result = self.tokenize(messages, *flags)
        sentences = re.findall(ERROR, result.stderr)
        self.assertEqual((result.returncode, len(sentences), result.stdout), (code, 1, b""), result.stderr)
        self.assertIn(words, sentences[0])

    @pillar.needs_model
    def test_the_demo_models_own_template(self):
        for messages, flags, text in cases("smollm"):
            result = pillar.check(self.tokenize(messages, *flags, model=pillar.MODEL))
            self.assertEqual(result.stdout.decode(), text)

    @pillar.needs_model
    def test_ids_hold_control_tokens_where_the_template_wrote_them(self):
        def ids(*arguments):
            return json.loads(pillar.check(pillar.run(None, ["tokenize", "-m", pillar.MODEL, "--ids", *arguments])).stdout)

        start, end = ids("-p", "<|im_start|><|im_end|>")
        for messages, flags, text in cases("smollm"):
            found = ids("--messages", self.file(messages), *flags)
            written = "".join(message["content"] for message in messages)
            for token, name in ((start, "<|im_start|>"), (end, "<|im_end|>")):
                self.assertEqual(found.count(token), text.count(name) - written.count(name))
            if "<|" not in written:
                path = os.path.join(self.folder, "text")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                self.assertEqual(found, ids("-f", path))

    def test_named_templates(self):
        for name in ("chatml", "qwen3", "phi4", "granite", "qwen2"):
            for messages, flags, text in cases(name):
                result = pillar.check(self.tokenize(messages, "--chat-template", name, *flags))
                self.assertEqual(result.stdout.decode(), text)

    def test_standard_input_and_lists_of_texts(self):
        messages = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
        with open(self.file(messages), "rb") as file:
            result = pillar.run(None, ["tokenize", "-m", self.model, "--messages", "-", "--chat-template", "chatml"], stdin=file)
        self.assertEqual(pillar.check(result).stdout, b"<|im_start|>user\na\nb<|im_end|>\n<|im_start|>assistant\n")

    def test_what_is_refused(self):
        hello = [{"role": "user", "content": "Hello"}]
        chatml = ("--chat-template", "chatml")
        self.refuse(64, b"--chat-template", hello)  # the model has none
        self.refuse(64, b"--chat-template chatmI: known are chatml, ", hello, "--chat-template", "chatmI")
        self.refuse(64, b"the chat template gemma has no place for this system message",
                    [{"role": "system", "content": "Be brief."}, *hello], "--chat-template", "gemma")
        self.refuse(64, b"no switch for thinking", hello, "--reasoning", "off", *chatml)
        self.refuse(64, b"there are no messages", [], *chatml)
        self.refuse(64, b"--messages", hello, "-p", "text", *chatml)
        self.refuse(64, b"--no-bos", hello, "--no-bos", *chatml)
        self.refuse(64, b"add --ids", hello, "--show-count", *chatml)
        self.refuse(65, b"\"tool\"", [{"role": "tool", "content": "Hello"}], *chatml)
        self.refuse(65, b"messages[0].content[0]", [{"role": "user", "content": [{"type": "image_url"}]}], *chatml)
        self.refuse(65, b"it is no JSON", b"Hello", *chatml)
        self.refuse(65, b"nested more than", b"[" * 1_000_000, *chatml)
        self.refuse(64, b"more than 10000000 bytes", b" " * 10_000_001, *chatml)
        result = pillar.run(None, ["tokenize", "-m", self.model, "-p", "text", *chatml])
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"--messages FILE", result.stderr)
        result = pillar.run(None, ["tokenize", "-m", self.model, "--messages", os.path.join(self.folder, "none"), *chatml])
        self.assertEqual(result.returncode, 66)


if __name__ == "__main__":
    unittest.main()
