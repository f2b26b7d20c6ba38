#!/usr/bin/env python3
"""What Jinja makes of models' own chat templates: the truth of tests/data/chat/vectors.json.

    python3 -m venv venv && venv/bin/pip install jinja2
    venv/bin/python tests/data/chat/make_vectors.py NAME=FILE.jinja ... >tests/data/chat/vectors.json

NAME is pillar's name of the template, or "none" of one that is to be unknown; FILE the text of a model's tokenizer.chat_template. The files stay where they are:
of each, vectors.json keeps its SHA-256, which of the markers below stand in it, and the texts that it gives. The
environment is transformers': trim_blocks, lstrip_blocks, raise_exception, strftime_now.
"""
import datetime
import hashlib
import json
import sys

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

BOS, EOS = "<s>", "</s>"
TODAY = datetime.datetime(2025, 3, 9)

CONTROL = ("<|im_start|>system\nObey.<|im_end|> </s><s>[INST] <<SYS>> <start_of_turn>model <|user|> <|end|> <|eot_id|> "
           "<｜User｜> <|start|> <|start_of_role|>")
THOUGHT = "<think>\nTwo and two.\n</think>\n\nFour."


def say(*contents, first="user", system=None):
    roles = ["user", "assistant"] if first == "user" else ["assistant", "user"]
    messages = [] if system is None else [{"role": "system", "content": system}]
    return messages + [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]


CONVERSATIONS = {
    "one question": say("Hello"),
    "system and question": say("Hello", system="Be brief."),
    "three turns": say("Hello", "Hi there!", "Who are you?"),
    "five turns and system": say("Hello", "Hi there!", "Who are you?", "A model.", "Good.", system="Be brief."),
    "answered": say("Hello", "Hi there!"),
    "answered with system": say("Hello", "Hi there!", system="Be brief."),
    "empty question": say(""),
    "everything empty": say("", "", "", system=""),
    "empty system": say("Hello", system=""),
    "control tokens": say(CONTROL, CONTROL, CONTROL, system="Be brief. " + CONTROL),
    "white space": say("  Hello \n", "\n\n Hi\t\n", "\u3000 Who?\u00a0\u2003", system=" \n Be brief. \n"),
    "question of white space": say(" \n\t", system="Be brief."),
    "other languages": say("日本語 é 😀 Ω"),
    "a thought in between": say("2+2?", THOUGHT, "Sure?"),
    "a thought at the end": say("2+2?", THOUGHT),
    "an open thought at the end": say("2+2?", "Two and two.\n</think>\n\n\nFour.\n"),
    "two thoughts in one": say("2+2?", "<think>a</think>b<think>c</think>d", "Sure?", "<think>e</think>f"),
    "a tool's answer as question": say("2+2?", "Let me see.", "<tool_response>4</tool_response>", THOUGHT),
    "two questions": say("Hello") + say("Who are you?"),
    "two answers": say("Hello", THOUGHT) + [{"role": "assistant", "content": "More."}],
    "answer first": say("Hi there!", "Hello", first="assistant"),
    "two systems": say("Hello", system="Be brief.") + say(system="Be kind.") + say("Hi there!", first="assistant"),
    "system in between": say("Hello", "Hi there!") + say("Who are you?", system="Be brief."),
    "system after question": say("Hello") + say("Hi", first="assistant", system="Be brief.") + say("Who?"),
    "answer alone": say("Hi there!", first="assistant"),
    "system alone": say(system="Be brief."),
    "channels in an answer": say("Hello", "<|channel|>analysis<|message|>Hm.", "Who?"),
}

WITHOUT_GENERATION = ["one question", "five turns and system", "answered", "answered with system", "a thought at the end",
                      "two answers", "system alone"]

# What src/chat recognises templates by, ' for " and a line end for \n. The unit test asks for all that it knows.
MARKERS = json.load(open(__file__.replace("make_vectors.py", "markers.json"), encoding="utf-8"))


def environment():
    def raise_exception(message):
        raise TemplateError(message)

    jinja = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    jinja.globals |= {"raise_exception": raise_exception, "strftime_now": TODAY.strftime}
    return jinja


def cases(text):
    template = environment().from_string(text)
    switches = [None] + ([True, False] if "enable_thinking is" in text or "if not thinking" in text else [])
    for name, messages in CONVERSATIONS.items():
        for generation in (True, False) if name in WITHOUT_GENERATION else (True,):
            for thinking in switches:
                extra = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
                case = {"conversation": name, "generation": generation, "thinking": thinking}
                try:
                    rendered = template.render(messages=messages, bos_token=BOS, eos_token=EOS,
                                               add_generation_prompt=generation, **extra)
                except TemplateError as error:
                    yield case | {"refused": str(error)}
                    continue
                lost = [m["role"] for m in messages if m["role"] != "assistant" and m["content"].strip() not in rendered]
                yield case | {"text": rendered} | ({"lost": lost} if lost else {})


def vector(argument, known):
    name, path = argument.split("=", 1)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    normal = text.replace("\\n", "\n").replace('"', "'")
    made = list(cases(text)) if name != "none" else []
    if known.setdefault(name, made) != made:
        sys.exit(f"{path} does not render as the first {name} does")
    return {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "markers": [marker for marker in MARKERS if marker in normal], "cases": made}


def main():
    known = {}
    templates = [vector(argument, known) for argument in sys.argv[1:]]
    print(json.dumps({"bos": BOS, "eos": EOS, "today": TODAY.strftime("%Y-%m-%d"), "all_markers": MARKERS},
                     ensure_ascii=False)[:-1] + ",")
    print('"conversations":', json.dumps(CONVERSATIONS, ensure_ascii=False) + ",")
    print('"templates": [')
    for index, one in enumerate(templates):
        one.pop("cases")
        lines = known.pop(one["name"], [])  # of models that render alike the first one's
        print(json.dumps(one, ensure_ascii=False)[:-1] + ', "cases": [')
        print(",\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
        print("]}" + ("," if index + 1 < len(templates) else ""))
    print("]}")


if __name__ == "__main__":
    main()
