"""Token ids of SentencePiece for texts.json with Gemma's vocabulary: replaces its line in vectors.jsonl.

usage: make_gemma_vectors.py gemma-3-270m-q4_k_m.gguf      (sentencepiece 0.2.3, protobuf, numpy)

The file's pieces, scores and types become a model of SentencePiece's own, set up as Gemma's is: merging by score, bytes
for unknown characters, spaces as they are.
"""
import json
import pathlib
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

here = pathlib.Path(__file__).resolve().parent
sys.path.append(str(here.parent.parent / "support" / "python"))
from numpy_llama import Gguf  # noqa: E402

NAME = "gemma-3-270m"


def processor(metadata):
    model = sentencepiece_model_pb2.ModelProto()
    pieces, scores, types = (metadata[f"tokenizer.ggml.{key}"] for key in ("tokens", "scores", "token_type"))
    for id, (piece, score, kind) in enumerate(zip(pieces, scores, types)):
        if kind == 4:  # converters write the spaces of such pieces as they stand in a text
            piece = piece.replace(" ", "\u2581")
        unknown = id == metadata["tokenizer.ggml.unknown_token_id"]
        model.pieces.add(piece=piece, score=score, type=2 if unknown else kind)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = sentencepiece_model_pb2.TrainerSpec.BPE
    trainer.byte_fallback = True
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 3, 2, 1, 0
    trainer.unk_piece, trainer.bos_piece, trainer.eos_piece, trainer.pad_piece = "<unk>", "<bos>", "<eos>", "<pad>"
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = True
    result = sentencepiece.SentencePieceProcessor()
    result.LoadFromSerializedProto(model.SerializeToString())
    return result


def main(path):
    tokenizer = processor(Gguf(path).metadata)
    texts = json.loads((here / "texts.json").read_text(encoding="utf-8"))
    # Pieces of several spaces stand in GGUF files as spaces, so that a text's own U+2581 do not become one. These texts
    # are left out.
    ids = [[] if "\u2581" in text else tokenizer.encode(text) for text in texts]
    line = {"vocabulary": NAME, "pre": "", "parse_special": False, "ids": ids}
    lines = (here / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
    lines = [old for old in lines if json.loads(old)["vocabulary"] != NAME]
    lines.append(json.dumps(line, separators=(",", ":")))
    (here / "vectors.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


main(*sys.argv[1:])
