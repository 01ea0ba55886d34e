"""Records what seqeval counts, for `test_entities.py`; run by hand with seqeval 1.2.2.

python tests/evaluation/record_entities.py > tests/evaluation/entities_recorded.json
"""

import json
import random
from importlib.metadata import version

from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

TYPES = ("x", "y", "new-work")


def sentence(rng: random.Random, letters: str) -> list[str]:
    """Tags at random: most break the rules of any scheme."""
    return [
        "O" if rng.random() < 0.3 else f"{rng.choice(letters)}-{rng.choice(TYPES)}"
        for _ in range(rng.randint(1, 9))
    ]


def main() -> None:
    rng, cases = random.Random(7), []
    for letters in ("BI", "BIES", "I"):
        for _ in range(8):
            truth = [sentence(rng, letters) for _ in range(4)]
            answers = [
                [tag if rng.random() < 0.7 else rng.choice(tags) for tag in tags]
                for tags in truth
            ]
            scores = [
                f(truth, answers) for f in (precision_score, recall_score, f1_score)
            ]
            spans = [[list(each) for each in get_entities(tags)] for tags in answers]
            cases.append(
                {
                    "truth": truth,
                    "answers": answers,
                    "spans": spans,
                    "scores": [float(score) for score in scores],
                }
            )
    print(json.dumps({"seqeval": version("seqeval"), "cases": cases}))


if __name__ == "__main__":
    main()
