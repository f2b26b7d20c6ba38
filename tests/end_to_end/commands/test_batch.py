"""`batch` as its users meet it: every request has the text that `run` gives it, each result is there exactly once."""

import json
import os
import random
import signal
import subprocess
import time
import unittest

import pillar

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"


def request(custom_id, body, url=COMPLETIONS):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body})


class Batch(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.slow = pillar.tiny_and_slow_model(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, lines):
        with open(self.path(name), "wb") as file:
            for line in lines:
                file.write(line if isinstance(line, bytes) else line.encode())
                file.write(b"\n")
        return self.path(name)

    def arguments(self, requests, results, *more, model=None):
        return ["batch", "-m", model or self.model, "-i", requests, "-o", results, "-t", 1, "--fsync", "never", *more]

    def results(self, path):
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        by_id = {line["custom_id"]: line for line in lines}
        self.assertEqual(len(by_id), len(lines), "a result stands twice")
        return by_id

    def text_of(self, result):
        self.assertIsNone(result["error"], result)
        choice = result["response"]["body"]["choices"][0]
        self.assertIn(choice["finish_reason"], ("stop", "length"))
        return choice["text"]

    def requests(self, n, seed=1, n_tokens=24):
        """Random prompts, some with a beginning in common, sampled in many ways: (lines, flags of `run`)."""
        source = random.Random(seed)
        system = "".join(source.choice("abcdefgh ") for _ in range(300))
        lines, flags = [], {}
        for i in range(n):
            prompt = (system if i % 3 == 0 else "") + "".join(source.choice("abcdef ") for _ in range(1 + i % 30)) + "."
            body = {"prompt": prompt, "max_tokens": 1 + i % n_tokens, "seed": i, "temperature": [0, 1.1][i % 2],
                    "top_k": [40, 0, 7][i % 3], "top_p": 0.9, "ignore_eos": i % 4 == 0,
                    "frequency_penalty": 0.5 if i % 5 == 0 else 0}
            lines.append(request(f"r{i}", body))
            flags[f"r{i}"] = ["-p", prompt, "--no-escape", "-n", body["max_tokens"], "--seed", i, "--temp",
                              body["temperature"], "--top-k", body["top_k"], "--top-p", 0.9, "--frequency-penalty",
                              body["frequency_penalty"], *(["--ignore-eos"] if i % 4 == 0 else [])]
        return lines, flags

    def alone(self, flags):
        result = pillar.check(pillar.run(None, ["run", "-m", self.model, "-t", 1, "-c", 512, *flags]))
        return result.stdout.decode("utf-8", "replace").removesuffix("\n")

    def test_texts_are_those_that_run_gives_alone(self):
        lines, flags = self.requests(40)
        requests = self.write("in.jsonl", lines)
        alone = {name: self.alone(of) for name, of in flags.items()}
        for ranks, more in ((1, ["--parallel", 7]), (4, ["--parallel", 3, "-b", 5]), (3, ["--parallel", 40]),
                            (2, ["--parallel", 16, "--kv-memory", 1])):
            with self.subTest(ranks=ranks, more=more):
                output = self.path("out.jsonl")
                pillar.check(pillar.run(ranks, self.arguments(requests, output, "-c", 512, *more)))
                results = self.results(output)
                for name, text in alone.items():
                    if ranks != 3:  # other numbers of ranks sum in another order
                        self.assertEqual(self.text_of(results[name]), text, name)
                    usage = results[name]["response"]["body"]["usage"]
                    self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])
                self.assertEqual(len(results), len(lines))
                os.remove(output)

    def test_goes_on_after_kills_and_torn_lines(self):
        lines, _ = self.requests(60, n_tokens=12)
        requests, output = self.write("kill.jsonl", lines), self.path("killed.jsonl")
        whole = self.path("whole.jsonl")
        arguments = self.arguments(requests, output, "-c", 512, "--parallel", 4, model=self.slow)
        pillar.check(pillar.run(2, self.arguments(requests, whole, "-c", 512, "--parallel", 4, model=self.slow)))
        for k in range(4):
            process = subprocess.Popen(pillar.command(None, arguments), env=pillar.ENVIRONMENT,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = os.path.getsize(output) if os.path.exists(output) else 0
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if os.path.exists(output) and os.path.getsize(output) > before:
                    break
                time.sleep(0.01)
            process.send_signal(signal.SIGUSR1 if k == 3 else signal.SIGKILL)
            code = process.wait(60)
            if k == 3:
                self.assertIn(code, (0, 75))
            if k < 3:
                with open(output, "ab") as file:
                    file.write(b'{"id":"batch_req_59","custom_id":"r5')
        result = pillar.check(pillar.run(2, arguments))
        self.assertIn("torn" if k < 3 else "there already", result.stderr.decode())
        expected, found = self.results(whole), self.results(output)
        self.assertEqual({n: self.text_of(r) for n, r in found.items()},
                         {n: self.text_of(r) for n, r in expected.items()})

    def test_says_how_many_bytes_were_torn(self):
        requests, output = self.write("t.jsonl", [request("a", {"prompt": "x", "max_tokens": 1})]), self.path("t.out")
        with open(output, "wb") as file:
            file.write(b'{"id":"batch_req_0","cust')
        result = pillar.check(pillar.run(1, self.arguments(requests, output)))
        self.assertIn("its last line was torn (25 bytes)", result.stderr.decode())
        self.assertEqual(list(self.results(output)), ["a"])

    def test_bad_lines_become_results_that_say_why(self):
        good = {"prompt": "x", "max_tokens": 2}
        cases = [
            ("not json", "line 1: the line is no JSON"),
            (request("a", {**good, "tools": []}), "line 2: tools: is not supported"),
            (request("b", {**good, "temperature": "hot"}), "temperature: is no number"),
            (request("c", {**good, "max_tokens": -1}), "max_tokens: -1 is outside"),
            (request("d", good, url="/v1/embeddings"), "url: is neither"),
            (request("e", {"max_tokens": 2}), "prompt: is missing"),
            (request("f", {**good, "prompt": "y" * 4000}), "the context is 512"),
            ("[" * 100000 + "]" * 100000, "nests deeper than"),
            (request("g", {**good, "prompt": "z" * (10 << 20)}), "the context is 512"),
            (b'{"custom_id":"h","url":"/v1/completions","body":{"prompt":"\xff"}}', "is no JSON"),
            (request("i", {**good, "logit_bias": {"99999": 1}}), "beyond the vocabulary"),
            (json.dumps({"url": COMPLETIONS, "body": good}), "custom_id: is missing"),
            ('{"custom_id":"m","url":"/v1/completions","body":{"prompt":"x","temperature":1e999}}', "too large"),
            (request("j", {"messages": "hello"}, url=CHAT), "messages"),
            (request("k", {**good, "n": 0}), "n: 0 is outside"),
            (request("l", {**good, "stop": ""}), "an empty text"),
        ]
        requests = self.write("bad.jsonl", [line for line, _ in cases] + ["", request("good", good)])
        output = self.path("bad.out")
        pillar.check(pillar.run(2, self.arguments(requests, output, "-c", 512)))
        with open(output, encoding="utf-8") as file:
            by_line = {json.loads(line)["id"]: json.loads(line) for line in file}
        self.assertEqual(len(by_line), len(cases) + 1)
        for number, (_, why) in enumerate(cases):
            result = by_line[f"batch_req_{number}"]
            self.assertIsNone(result["response"])
            self.assertIn(why, result["error"]["message"])
            self.assertIn(f"line {number + 1}: ", result["error"]["message"])
        self.assertEqual(by_line[f"batch_req_{len(cases) + 1}"]["custom_id"], "good")
        again = pillar.check(pillar.run(2, self.arguments(requests, output, "-c", 512)))
        self.assertIn("17 were there already", again.stderr.decode())

    def test_choices_probabilities_and_biases(self):
        body = {"prompt": "abc", "max_tokens": 4, "n": 3, "seed": 5, "temperature": 1, "logprobs": 4}
        requests = self.write("n.jsonl", [request("many", body), request("one", {**body, "n": 1, "seed": 6}),
                                          request("biased", {**body, "n": 1, "logit_bias": {"70": 100}})])
        output = self.path("n.out")
        pillar.check(pillar.run(2, self.arguments(requests, output)))
        results = self.results(output)
        many = results["many"]["response"]["body"]
        self.assertEqual([c["index"] for c in many["choices"]], [0, 1, 2])
        self.assertEqual(many["choices"][1]["text"], self.text_of(results["one"]))
        self.assertEqual(many["usage"]["completion_tokens"],
                         sum(len(c["logprobs"]["tokens"]) for c in many["choices"]))
        for choice in many["choices"]:
            for logprob, top in zip(choice["logprobs"]["token_logprobs"], choice["logprobs"]["top_logprobs"]):
                self.assertLessEqual(logprob, 0)
                self.assertLessEqual(len(top), 4)
                self.assertGreaterEqual(max(top.values()) + 1e-6, logprob)
        self.assertEqual(self.text_of(results["biased"]), chr(67) * 4)  # token 70 is byte 67

    def test_companions_change_no_bit_in_other_architectures(self):
        """Windows whose pages are given back, experts that rows share, queries that grow with the position, sums over all
        heads: log-probabilities are those of a request that is computed alone."""
        source = random.Random(7)
        lines = [request(f"r{i}", {"prompt": "".join(source.choice("abcdef ") for _ in range(1 + 13 * i)), "seed": i,
                                   "max_tokens": 3 + 9 * (i % 4), "temperature": 1, "logprobs": 3, "ignore_eos": True})
                 for i in range(6)]
        requests, output = self.write("companions.jsonl", lines), self.path("companions.out")
        for flags in (["gpt-oss", "--experts", 9, "--experts-used", 4, "--ffn", 96, "--window", 7, "--rope-scaling", "yarn"],
                      ["mistral3", "--rope-scaling", "yarn"], ["olmo2", "--window", 9, "--layers", 4]):
            with self.subTest(flags[0]):
                model = pillar.tiny_model(self.folder, "companions", "--type", "q8_0", "--architecture", *flags)
                found = []
                for ranks, more in ((1, ["--parallel", 1]), (1, ["--parallel", 6]), (2, ["--parallel", 4, "-b", 5])):
                    pillar.check(pillar.run(ranks, self.arguments(requests, output, "-c", 256, *more, model=model)))
                    found.append({name: result["response"]["body"]["choices"]
                                  for name, result in self.results(output).items()})
                    os.remove(output)
                self.assertEqual(len(found[0]), len(lines))
                self.assertEqual(found[1], found[0])
                self.assertEqual(found[2], found[0])

    def test_one_job_an_output_and_results_of_one_input(self):
        long = {"prompt": "x", "max_tokens": 2000, "ignore_eos": True}
        lines = [request(f"r{i}", {**long, "max_tokens": 1 if i == 0 else 2000}) for i in range(30)]
        requests, output = self.write("two.jsonl", lines), self.path("two.out")
        first = subprocess.Popen(pillar.command(None, self.arguments(requests, output, model=self.slow)),
                                 env=pillar.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not (os.path.exists(output) and os.path.getsize(output)) and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertIsNone(first.poll())
            second = pillar.run(2, self.arguments(requests, output))
            self.assertEqual(second.returncode, 77)
            self.assertIn("another job is writing its results there", second.stderr.decode())
        finally:
            first.kill()
            first.wait()
        other = self.write("other.jsonl", [request(f"other{i}", {"prompt": "x", "max_tokens": 1}) for i in range(30)])
        mixed = pillar.run(1, self.arguments(other, output))
        self.assertEqual(mixed.returncode, 73)
        self.assertIn("the results are of another input", mixed.stderr.decode())
        for content in ('hello\n', '{"important": "notes of a year"}', '{"id":"batch_req_0","custom_id":"z"}\nnotes'):
            notes = self.path("notes.json")
            with open(notes, "w", encoding="utf-8") as file:
                file.write(content)
            strange = pillar.run(1, self.arguments(other, notes))
            self.assertEqual(strange.returncode, 73)
            self.assertIn("is no result", strange.stderr.decode())
            with open(notes, encoding="utf-8") as file:
                self.assertEqual(file.read(), content)

    def test_shards_are_the_whole(self):
        lines, _ = self.requests(11, n_tokens=3)
        requests = self.write("shards.jsonl", lines)
        seen = []
        for task in range(3):
            output = self.path(f"shard{task}.out")
            flags = ["--shard", f"{task}/3"] if task < 2 else []
            environment = {**pillar.ENVIRONMENT, "SLURM_ARRAY_TASK_ID": "6", "SLURM_ARRAY_TASK_MIN": "4",
                           "SLURM_ARRAY_TASK_COUNT": "3"}
            pillar.check(pillar.run(1, self.arguments(requests, output, *flags),
                                    env=pillar.ENVIRONMENT if flags else environment))
            seen += list(self.results(output))
        self.assertEqual(sorted(seen), sorted(f"r{i}" for i in range(11)))

    def test_standard_input_and_output(self):
        lines, flags = self.requests(5)
        result = pillar.check(subprocess.run(
            pillar.command(1, self.arguments("-", "-", "-c", 512)), env=pillar.ENVIRONMENT, capture_output=True,
            input="\n".join(lines).encode(), check=False, timeout=120))
        texts = {r["custom_id"]: self.text_of(r) for r in map(json.loads, result.stdout.splitlines())}
        self.assertEqual(texts, {name: self.alone(of) for name, of in flags.items()})

    def test_a_producer_may_wait_for_answers(self):
        batch = subprocess.Popen(pillar.command(None, self.arguments("-", "-")), env=pillar.ENVIRONMENT,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with batch:
            for i in range(3):
                batch.stdin.write(request(f"r{i}", {"prompt": "x", "max_tokens": 2}).encode() + b"\n")
                batch.stdin.flush()
                self.assertEqual(json.loads(batch.stdout.readline())["custom_id"], f"r{i}")
            batch.send_signal(signal.SIGUSR1)  # it ends, though the pipe is open
            self.assertEqual(batch.wait(30), 75)

    def test_results_of_another_shard_are_refused(self):
        lines, _ = self.requests(6, n_tokens=2)
        requests, output = self.write("parts.jsonl", lines), self.path("part.out")
        pillar.check(pillar.run(1, self.arguments(requests, output, "--shard", "1/3")))
        wrong = pillar.run(1, self.arguments(requests, output, "--shard", "0/2"))
        self.assertEqual(wrong.returncode, 73)
        self.assertIn("not of shard 0/2", wrong.stderr.decode())

    def test_a_full_disk_loses_nothing(self):
        body = {"max_tokens": 480, "ignore_eos": True, "logprobs": 20}  # a quarter of a megabyte each
        requests = self.write("full.jsonl", [request(f"r{i}", {**body, "prompt": "abcd"[:1 + i % 4]}) for i in range(40)])
        output = self.path("full.out")
        arguments = self.arguments(requests, output, "-c", 512)
        full = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 5000; exec "$@"', "bash",  # MPI's own need 4 MB
                               *pillar.command(None, arguments)], env=pillar.ENVIRONMENT, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual(full.returncode, 74, full.stderr)
        self.assertIn("full.out", full.stderr.decode())
        n_before = len(self.results(output))
        self.assertTrue(0 < n_before < 40)
        pillar.check(pillar.run(None, arguments))
        self.assertEqual(len(self.results(output)), 40)


if __name__ == "__main__":
    unittest.main()
