"""The tables of docs/published_figures.md and docs/models.md that `plan` makes, between marks in these pages.

usage: pages.py --write      with the environment of the end-to-end tests
"""

import pathlib
import re
import sys
import tempfile

import published

import pillar


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def three(x):
    return f"{x:.3g}" if x < 100 else f"{x:.0f}"


def pair(measured, predicted):
    return f"{three(measured)} / {three(predicted)}"


def pi4_prompts(folder, which=0):
    cells = published.pi4_matrix(folder)
    rows = [[model] + [pair(*cells[model, form][which]) for form in published.FORMATS]
            for model in published.MODELS.values()]
    return table(["", *published.FORMATS], rows)


def pi4_tokens(folder):
    return pi4_prompts(folder, 1)


def pi5_star(folder):
    figures = published.pi5_star(folder)
    rows = [[model + " Q4_0"] + [pair(*figures[model, n]) if (model, n) in figures else "" for n in (1, 2, 3)]
            for model in published.PI5_STAR]
    return table(["", "1 board", "2", "3"], rows)


def pi5_direct(folder):
    return table(["", "as it is", "tuned", "plan"],
                 [[model + " Q40", f"{plain:.2f}", f"{tuned:.2f}", f"{predicted:.1f}"]
                  for model, (plain, tuned, predicted) in published.pi5_direct(folder).items()])


def pi4_star(_folder):
    rows = []
    for (model, n), (computing, transfer) in published.pi4_star().items():
        sent = "" if transfer[0] is None else f"{transfer[0]} / {transfer[1]:.0f}"
        rows.append([model, str(n), f"{computing[0]} / {computing[1]:.0f}", sent])
    return table(["", "boards", "computing, ms", "transfer, ms"], rows)


def single_boards(_folder):
    return table(["board", "engine", "model", "published", "plan", "between"],
                 [[board, who, model, f"{measured:.2f}", f"{predicted:.2f}", f"{low:.2f}–{high:.2f}"]
                  for who, board, model, measured, predicted, low, high in published.single_boards()])


def speed(model, *flags, what="decode_tokens_per_s"):
    row, = published.plan("--synthetic", model, *flags)
    return row, f"{row[what]:.2f} ({row[what + '_low']:.2f}–{row[what + '_high']:.2f})"


def joules(model, *flags):
    row, = published.plan("--synthetic", model, *flags)
    return f"{row['joules_per_token']:.1f}"


def gain(model, n):
    one, many = published.plan("--synthetic", model, "--ranks", f"1,{n}")
    return f"{many['decode_tokens_per_s'] / one['decode_tokens_per_s']:.1f}"


def claims(_folder):
    """What is said, what plan says, and what is to be held of it."""
    def at(model, *flags, **more):
        return speed(model, *flags, **more)[1]

    cluster, mini = ["--ranks", 4], ["--ranks", 1, "--profile"]
    rows = [
        ["one board: TinyLlama at 6–10 tok/s", "Q4_0 " + at("tinyllama-1.1b:q4_0", "--ranks", 1),
         "the lower end, with luck. 10 would take 6 GB/s of a memory that gives 3.7"],
        ["one board: 3B in Q4 at 2–3 tok/s", "Q4_0 " + at("llama-3.2-3b:q4_0", "--ranks", 1),
         "too high: 1.5 to 1.6 were measured; 3 would take 5.7 GB/s. Q3_K_S comes to "
         + at("llama-3.2-3b:q3_k_s", "--ranks", 1)],
        ["one board: its prompts at 4–7 tok/s",
         "Q4_0 " + at("llama-3.2-3b:q4_0", "--ranks", 1, what="prompt_tokens_per_s"),
         "4 is what llama.cpp's 12 GMAC/s with OpenBLAS give, without it 2.5. plan takes an efficiency for granted that "
         "kernels reach in simulation and nobody has measured on the board"],
        ["one board: 7B at 0.5–1 tok/s", "Q4_0 " + at("llama-2-7b:q4_0", "--ranks", 1), "right: 0.70 to 0.79 were measured"],
        ["4 boards: 1.5–2 times one", f"1B {gain('llama-3.2-1b:q4_0', 4)} ×, 8B {gain('llama-3.1-8b:q4_0', 4)} ×",
         "too low, even for a root that serves the others in turn: 2.7 × was measured with a 7B"],
        ["8 boards: 3 times one", f"1B {gain('llama-3.2-1b:q4_0', 8)} ×, 8B {gain('llama-3.1-8b:q4_0', 8)} ×",
         "2.2 × was measured with that root, whose port is the limit then. It is a property of the program, not of the boards"],
        ["8B on a cluster at 3–4 tok/s",
         "Q4_0, 4 boards " + at("llama-3.1-8b:q4_0", *cluster) + ", 6 " + at("llama-3.1-8b:q4_0", "--ranks", 6),
         "3 with four boards and messages that do not queue at one of them; 4 with six. The best that was measured on Pi 4 "
         "boards is 2.02 (7B, four)"],
        ["an 8B needs a cluster", "Bonsai 8B in Q1_0, one board " + at("bonsai-8b:q1_0", "--ranks", 1),
         "not when it was trained for one bit: 1.15 GB are read a token instead of 4.4"],
        ["5–7 W a board", "6 (5–6.5)", "right, at the wall while it decodes; 1.6 idle"],
        ["a mini-PC does 4–7 tok/s for the money of a few boards",
         "8B in Q4_K_M, N150 " + at("llama-3.1-8b:q4_k_m", *mini, "n150") + ", four Pi 4 "
         + at("llama-3.1-8b:q4_k_m", *cluster),
         f"right, and it is simpler; {joules('llama-3.1-8b:q4_k_m', *mini, 'n150')} joules a token beside "
         f"{joules('llama-3.1-8b:q4_k_m', *cluster)}. The cluster teaches what it cannot: put your prices into a profile and "
         "let `plan --grid` compare"],
    ]
    return table(["said", "plan, tok/s", "and so"], rows)


PERPLEXITY = {"Q2_K": "+3.52", "Q3_K_M": "+0.66", "Q4_0": "+0.47", "Q4_K_M": "+0.18", "Q5_K_M": "+0.06", "Q6_K": "+0.02",
              "Q8_0": "+0.003"}


def formats(_folder):
    rows = published.plan("--grid", "--models", "llama-3.1-8b", "--formats", ",".join(PERPLEXITY).lower(), "--ranks", "1,4")
    lines = []
    for one, four in zip(rows[::2], rows[1::2], strict=True):
        lines.append([one["format"], f"{one['file_bytes'] / 1e9:.2f}",
                      f"{one['decode_tokens_per_s']:.2f}" if one["fits"] else "does not fit",
                      f"{four['decode_tokens_per_s']:.2f}", PERPLEXITY[one["format"]]])
    return table(["Llama 3.1 8B", "GB", "tok/s on one Pi 4", "on four", "perplexity, 6.23 in F16"], lines)


def contexts(_folder):
    lines = []
    for depth in (1024, 4096, 8192):
        cells = [f"{depth // 1024}K"]
        for model in ("llama-3.2-3b:q4_k_m", "llama-3.1-8b:q4_k_m"):
            row, told = speed(model, "--ranks", 1, "-c", depth + 256, "-d", depth)
            rate = row["kv_cache_bytes"] / (depth + 256)
            cells += [f"{rate * depth / 1e9:.2f}", told]
        lines.append(cells)
    return table(["positions", "3B: cache, GB", "tok/s", "8B: cache, GB", "tok/s"], lines)


BUYERS = (("qwen3-0.6b", "q8_0"), ("gemma-3-1b", "q4_0"), ("llama-3.2-1b", "q4_0"), ("olmo-2-1b", "q4_k_m"),
          ("qwen3-1.7b", "q4_k_m"), ("granite-3.3-2b", "q4_k_m"),
          ("gemma-2-2b", "q4_k_m"), ("smollm3-3b", "q4_k_m"), ("llama-3.2-3b", "q4_k_m"), ("phi-4-mini", "q4_k_m"),
          ("qwen3-4b", "q4_k_m"), ("gemma-3-4b", "q4_0"), ("qwen2.5-7b", "q4_k_m"), ("mistral-7b-v0.3", "q4_k_m"),
          ("llama-3.1-8b", "q4_k_m"), ("qwen3-8b", "q4_k_m"), ("ministral-3-8b", "q4_k_m"), ("llama-2-13b", "q4_k_m"),
          ("bonsai-1.7b", "q1_0"), ("bonsai-4b", "q1_0"), ("bonsai-8b", "q1_0"), ("bonsai-8b", "q2_0"),
          ("qwen3-30b-a3b", "q4_k_m"), ("gpt-oss-20b", "mxfp4"), ("mixtral-8x7b", "q4_k_m"))


def boards(_folder):
    """Model, format, size, and tok/s on 1, 2, 4, 8 boards of two kinds."""
    lines = []
    for model, form in BUYERS:
        rows = published.plan("--grid", "--models", model, "--formats", form, "--profile", "pi4,pi5")
        lines.append([rows[0]["model"], rows[0]["format"], f"{rows[0]['file_bytes'] / 1e9:.2f}"]
                     + [three(row["decode_tokens_per_s"]) if row["fits"] else "–" for row in rows])
    return table(["model", "format", "GB", *(f"{n} {board}" for board in ("Pi 4", "Pi 5") for n in (1, 2, 4, 8))], lines)


PAGES = {"docs/published_figures.md": (pi4_prompts, pi4_tokens, pi5_star, pi5_direct, pi4_star, single_boards, claims, formats,
                                       contexts),
         "docs/models.md": (boards,)}


def with_tables(text, makers, folder):
    for make in makers:
        begin, end = f"<!-- {make.__name__} -->\n", f"<!-- /{make.__name__} -->"
        made = begin + make(folder) + "\n" + end
        text, n = re.subn(re.escape(begin) + ".*?" + re.escape(end), lambda _, made=made: made, text, flags=re.S)
        if n != 1:
            raise AssertionError(f"marks of {make.__name__}: {n}")
    return text


def main():
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        for name, makers in PAGES.items():
            path = pathlib.Path(pillar.SOURCE / name)
            path.write_text(with_tables(path.read_text(), makers, folder))


if __name__ == "__main__":
    main()
