"""Records what pytorch-crf answers, for `test_crf.py`. Run by hand, in its own place:

python -m venv crf && crf/bin/pip install torch==2.13.0 pytorch-crf==0.7.2
crf/bin/python tests/layers/record_crf.py
"""

import json
from pathlib import Path

import torch
from torchcrf import CRF


def record(num_tags: int, lengths: list[int], seed: int) -> dict:
    torch.manual_seed(seed)
    crf = CRF(num_tags, batch_first=True)
    steps = max(lengths)
    logits = torch.randn(len(lengths), steps, num_tags) * 2
    tags = torch.randint(num_tags, (len(lengths), steps))
    mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    weights = {
        "start": crf.start_transitions,
        "transitions": crf.transitions,
        "end": crf.end_transitions,
    }
    with torch.no_grad():
        for weight in weights.values():
            weight.copy_(torch.randn_like(weight))
        return {
            "num_tags": num_tags,
            **{name: weight.tolist() for name, weight in weights.items()},
            "logits": logits.tolist(),
            "tags": tags.tolist(),
            "mask": mask.int().tolist(),
            "log_likelihood": crf(logits, tags, mask, reduction="none").tolist(),
            "best_paths": crf.decode(logits, mask),
        }


if __name__ == "__main__":
    cases = [record(3, [4, 2, 1], 0), record(5, [6, 6], 1), record(9, [12, 7, 3], 2)]
    made = {"by": "pytorch-crf 0.7.2, torch 2.13.0", "cases": cases}
    Path(__file__).with_name("crf_recorded.json").write_text(json.dumps(made) + "\n")
