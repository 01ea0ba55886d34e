"""How likely a word is after the words before it: n-grams, as ARPA files have them.

A model comes from an ARPA file or is counted from transcripts. `word_scores` makes of
it what prefix beam search asks. This module needs no acoustic model and opens no file.
"""

import collections
import math
from collections.abc import Callable, Iterable, Sequence

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
# Of a word that a file without <unk> has never seen, as a power of ten.
NEVER_SEEN = -7.0

Words = tuple[str, ...]
SymbolIds = tuple[int, ...]


class WordNgrams:
    """A back-off n-gram model.

    Args:
        logs: n-gram to its log10 probability; `<unk>` stands for all other words.
        backoffs: n-gram to the log10 weight of the shorter history; 0 where missing.

    Example:

    >>> model = WordNgrams.count(["go north", "go south", "go north"], order=2)
    >>> model.log_probability(("go",), "north") > model.log_probability(("go",), "go")
    True
    """

    def __init__(self, logs: dict[Words, float], backoffs: dict[Words, float]) -> None:
        self.logs, self.backoffs = logs, backoffs
        self.order = max(map(len, logs))

    @classmethod
    def count(cls, transcripts: Iterable[str], order: int = 3) -> "WordNgrams":
        """Counts transcripts, which are those of the train part.

        Witten and Bell 1991: a history that was followed by many different words
        leaves much for words not seen after it.

        Args:
            transcripts: words between spaces.
            order: longest n-gram.

        Raises:
            ValueError: There is no transcript, or `order` is below 1.
        """
        counts: list[collections.Counter[Words]]
        counts = [collections.Counter() for _ in range(order)]
        for transcript in transcripts:
            words = (START,) * (order > 1) + (*transcript.split(), END)
            for size in range(1, order + 1):
                for start in range(len(words) - size + 1):
                    counts[size - 1][words[start : start + size]] += 1
        if order < 1 or not counts[0]:
            raise ValueError(f"order is {order} and there are no words; expected some")
        counts[0].pop((START,), None)
        # <unk> is a word more, and shares evenly what is left for the unseen.
        uniform = 1.0 / (len(counts[0]) + 1)
        model = cls({(UNKNOWN,): math.log10(uniform)}, {})
        for of_size in counts:
            model._add(of_size, uniform)
        model.order = order
        return model

    def _add(self, counts: collections.Counter[Words], uniform: float) -> None:
        total: collections.Counter[Words] = collections.Counter()
        kinds: collections.Counter[Words] = collections.Counter()
        for ngram, times in counts.items():
            total[ngram[:-1]] += times
            kinds[ngram[:-1]] += 1
        new = {}
        for ngram, times in counts.items():
            history = ngram[:-1]
            shorter = 10 ** self._log10(history[1:], ngram[-1]) if history else uniform
            share = times + kinds[history] * shorter
            new[ngram] = math.log10(share / (total[history] + kinds[history]))
        if () in total:
            rest = kinds[()] * uniform / (total[()] + kinds[()])
            new[(UNKNOWN,)] = math.log10(rest)
        self.logs.update(new)
        for history in total:
            if history:
                weight = kinds[history] / (total[history] + kinds[history])
                self.backoffs[history] = math.log10(weight)

    def log_probability(self, history: Sequence[str], word: str) -> float:
        """Natural log of the probability of a word.

        Args:
            history: the words before, from the start of the transcript.
            word: the next, or `</s>`.
        """
        known = [w if (w,) in self.logs else UNKNOWN for w in (*history, word)]
        if (UNKNOWN,) not in self.logs and known[-1] == UNKNOWN:
            return NEVER_SEEN * math.log(10)
        padded = (START, *known[:-1])
        near = padded[-(self.order - 1) :] if self.order > 1 else ()
        return self._log10(near, known[-1]) * math.log(10)

    def _log10(self, history: Words, word: str) -> float:
        weight = 0.0
        while (*history, word) not in self.logs and history:
            weight += self.backoffs.get(history, 0.0)
            history = history[1:]
        return weight + self.logs.get((*history, word), NEVER_SEEN)

    def to_arpa(self) -> str:
        """The model as the text of an ARPA file."""
        sizes = range(1, self.order + 1)
        every = sorted({*self.logs, *self.backoffs})
        of_size = {size: [n for n in every if len(n) == size] for size in sizes}
        lines = ["\\data\\", *(f"ngram {n}={len(of_size[n])}" for n in sizes)]
        for size in sizes:
            lines += ["", f"\\{size}-grams:"]
            for ngram in of_size[size]:
                fields = [f"{self.logs.get(ngram, -99.0):.7f}", " ".join(ngram)]
                if ngram in self.backoffs:
                    fields.append(f"{self.backoffs[ngram]:.7f}")
                lines.append("\t".join(fields))
        return "\n".join([*lines, "", "\\end\\", ""])

    @classmethod
    def from_arpa(cls, lines: Iterable[str]) -> "WordNgrams":
        """Reads the lines of an ARPA file.

        Raises:
            ValueError: It is none; the message names the line.

        Example:

        >>> model = WordNgrams.count(["yes no", "no"], order=2)
        >>> again = WordNgrams.from_arpa(model.to_arpa().splitlines())
        >>> round(again.log_probability(("yes",), "no"), 4)
        -0.3977
        """
        logs, backoffs, size = {}, {}, 0
        for number, line in enumerate(lines, start=1):
            line = line.strip()
            if line.startswith("\\"):
                head = line[1:].partition("-")[0]
                size = int(head) if head.isdigit() else 0
                continue
            if not line or not size:
                continue
            fields = line.split()
            try:
                ngram = tuple(fields[1 : 1 + size])
                if len(ngram) != size or len(fields) > size + 2:
                    raise ValueError
                logs[ngram] = float(fields[0])
                if len(fields) == size + 2:
                    backoffs[ngram] = float(fields[-1])
            except ValueError as error:
                what = f"line {number} is no {size}-gram: {line!r}"
                raise ValueError(what) from error
        if not logs:
            raise ValueError("there is no n-gram; expected an ARPA file")
        return cls(logs, backoffs)


def word_scores(
    model: WordNgrams,
    symbols: Sequence[str],
    separator: str,
    weight: float,
    bonus: float,
) -> tuple[Callable[[SymbolIds, int], float], Callable[[SymbolIds], float]]:
    """`extend` and `finish` of `prefix_beam_search`, from a model of words.

    A word is asked for when the space behind it is written, or the transcript ends.

    Args:
        model: of words.
        symbols: of the alphabet; id 1 is the first.
        separator: " " where a symbol is a whole word, else "".
        weight: of the model's log probabilities.
        bonus: for each word, as each costs probability.

    Returns:
        What to add for a symbol behind a prefix, and for the end of a prefix.
    """

    def score(words: Sequence[str]) -> float:
        if not words:
            return 0.0
        return weight * model.log_probability(words[:-1], words[-1]) + bonus

    def text(ids: SymbolIds) -> str:
        return separator.join(symbols[number - 1] for number in ids)

    def extend(prefix: SymbolIds, symbol: int) -> float:
        if separator:
            return score(text((*prefix, symbol)).split())
        if symbols[symbol - 1] != " " or not prefix or symbols[prefix[-1] - 1] == " ":
            return 0.0
        return score(text(prefix).split())

    def finish(prefix: SymbolIds) -> float:
        words = text(prefix).split()
        open_word = bool(prefix) and not separator and symbols[prefix[-1] - 1] != " "
        end = weight * model.log_probability(words, END)
        return end + (score(words) if open_word else 0.0)

    return extend, finish
