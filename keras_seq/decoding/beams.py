"""The loop of a beam search: paths that go on, and the best that have ended.

What `beam_search` runs. Needs no model and no text.

Shapes: B rows, R rows that go on, K beams, N = B K, C candidates, T new tokens, V
vocabulary, S steps of a source that is attended to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import KerasTensor, ops, tree

from keras_seq.decoding.candidates import Choose
from keras_seq.decoding.samplers import NEVER
from keras_seq.small_ops import take, take_by_row

State = Any  # any nesting of tensors (N, ...)
Advance = Callable[[KerasTensor, State, State], tuple[KerasTensor, State, Any]]
# Cut-off hypotheses rank below all finished ones, and above places that hold none.
CUT_OFF = -1e7


class Hypotheses(NamedTuple):
    """The K best continuations of each row, the best first.

    Attributes:
        token_ids: int32 (B, K, T), padded with 0; the end token is left out.
        lengths: int32 (B, K).
        log_probability: float32 (B, K), sums over the tokens, the end token included;
            -inf where a row has fewer than K.
        score: float32 (B, K), what they are ordered by.
        finished: bool (B, K), False where the end was not reached in time.
    """

    token_ids: KerasTensor
    lengths: KerasTensor
    log_probability: KerasTensor
    score: KerasTensor
    finished: KerasTensor


class Beams(NamedTuple):
    """What the loop carries: paths that go on, and the best that have ended."""

    step: KerasTensor  # int32 ()
    token_ids: KerasTensor  # int32 (B, K, T)
    last: KerasTensor  # int32 (N,)
    log_probability: KerasTensor  # float32 (B, K), falling
    coverage: KerasTensor  # float32 (B, K, S), sums of attention weights
    fixed: State  # of all rows, or of those that go on; so is `moving`
    moving: State
    done_ids: KerasTensor  # int32 (B, K, T)
    done_lengths: KerasTensor  # int32 (B, K)
    done_log_probability: KerasTensor  # float32 (B, K)
    done_score: KerasTensor  # float32 (B, K), falling


@dataclass(frozen=True)
class Search:
    """As `beam_search` describes its arguments."""

    advance: Advance
    leave_out: bool
    width: int | KerasTensor
    worst: int  # place of the last hypothesis that has to be certain
    limits: KerasTensor
    end_id: int
    length_penalty: float | KerasTensor
    coverage_penalty: float
    source_mask: KerasTensor | None
    choose: Choose

    def start(self, fixed: State, moving: State, start_id: int) -> Beams:
        rows = ops.shape(self.limits)[0]
        longest = ops.max(self.limits, initial=0)  # 0 where there is no row
        shape = (rows, self.width)
        ids = ops.zeros((*shape, longest), dtype="int32")
        first = ops.where(ops.arange(self.width) > 0, NEVER, 0.0)
        none = ops.full(shape, NEVER, dtype="float32")
        steps = 0 if self.source_mask is None else ops.shape(self.source_mask)[1]
        return Beams(
            step=ops.zeros((), dtype="int32"),
            token_ids=ids,
            last=ops.full((rows * self.width,), start_id, dtype="int32"),
            log_probability=ops.zeros(shape) + ops.cast(first, "float32"),
            coverage=ops.zeros((*shape, steps)),
            fixed=fixed,
            moving=repeated(moving, self.width),
            done_ids=ids,
            done_lengths=ops.zeros(shape, dtype="int32"),
            done_log_probability=none,
            done_score=none,
        )

    def goes_on(self, *beams: KerasTensor) -> KerasTensor:
        return ops.any(self._active(Beams(*beams)))

    def step(self, *loop_vars: KerasTensor) -> Beams:
        beams = Beams(*loop_vars)
        last, so_far, place = beams.last, beams.log_probability, None
        if self.leave_out:
            active = self._active(beams)
            rows = _numbers(active)  # (R,)
            last = ops.reshape(take(self._by_row(last), rows), (-1,))
            so_far = take(so_far, rows)
            # Where each row stands among those that go on; of the others any will do.
            place = ops.maximum(ops.cumsum(ops.cast(active, "int32")) - 1, 0)  # (B,)
        logits, moving, weights = self.advance(last, beams.fixed, beams.moving)
        vocab_size = logits.shape[-1]
        logits = ops.cast(logits, "float32")
        logits = ops.reshape(logits, (-1, self.width, vocab_size))  # (R, K, V)
        so_far = so_far - ops.logsumexp(logits, axis=-1)  # (R, K)
        values, places = self.choose(logits, so_far, beams.step)  # (R, C)
        places = ops.cast(places, "int32")
        if place is not None:
            values, places = (take(x, place) for x in (values, places))
        source, tokens = places // vocab_size, places % vocab_size
        coverage = beams.coverage
        if self.source_mask is not None:
            weights = self._by_row(weights)
            if place is not None:
                weights = take(weights, place)
            coverage = coverage + weights
        beams = beams._replace(moving=moving, coverage=coverage)
        ended = tokens == self.end_id
        kept = self._keep_ended(beams, values, source, ended)
        values = ops.where(ended, NEVER, values)
        return self._go_on(kept, values, source, tokens, place)

    def _keep_ended(
        self,
        beams: Beams,
        values: KerasTensor,
        source: KerasTensor,
        ended: KerasTensor,
    ) -> Beams:
        """Of what has ended so far and now, the K best."""
        score = values / self._lengthened(beams.step)
        if self.source_mask is not None:
            score = score + self._uncovered(take_by_row(beams.coverage, source))
        ended = ops.logical_and(ended, self._active(beams)[:, None])
        new = (
            take_by_row(beams.token_ids, source),
            ops.zeros_like(source) + beams.step,
            values,
            ops.where(ended, score, NEVER),
        )
        both = [ops.concatenate(pair, axis=1) for pair in zip(beams[-4:], new)]
        _, best = ops.top_k(both[-1], self.width)
        ids, lengths, log_probability, score = (take_by_row(x, best) for x in both)
        return beams._replace(
            done_ids=ids,
            done_lengths=lengths,
            done_log_probability=log_probability,
            done_score=score,
        )

    def _go_on(
        self,
        beams: Beams,
        values: KerasTensor,
        source: KerasTensor,
        tokens: KerasTensor,
        place: KerasTensor | None,
    ) -> Beams:
        """The K likeliest candidates that have not ended are the next paths."""
        values, best = ops.top_k(values, self.width)
        source, tokens = take_by_row(source, best), take_by_row(tokens, best)
        here = ops.arange(ops.shape(beams.token_ids)[2], dtype="int32") == beams.step
        token_ids = ops.where(
            here, tokens[..., None], take_by_row(beams.token_ids, source)
        )
        active = self._active(beams)[:, None]
        after = beams._replace(
            step=beams.step + 1,
            token_ids=ops.where(active[..., None], token_ids, beams.token_ids),
            last=ops.reshape(tokens, (-1,)),
            log_probability=ops.where(active, values, beams.log_probability),
            coverage=take_by_row(beams.coverage, source),
        )
        if place is None:
            starts = ops.arange(ops.shape(source)[0], dtype="int32") * self.width
            rows = source + starts[:, None]
            return after._replace(moving=_taken(beams.moving, rows))
        going = _numbers(self._active(after))
        place = take(place, going)
        rows = place[:, None] * self.width + take(source, going)
        return after._replace(
            fixed=_taken(beams.fixed, place), moving=_taken(beams.moving, rows)
        )

    def _by_row(self, values: KerasTensor) -> KerasTensor:
        """Values (N, ...) as (B, K, ...)."""
        return ops.reshape(values, (-1, self.width, *ops.shape(values)[1:]))

    def _active(self, beams: Beams) -> KerasTensor:
        """Rows whose answer may still change: bool (B,)."""
        best = beams.log_probability[:, 0] / self._lengthened(self.limits)
        return ops.logical_and(
            beams.step < self.limits, beams.done_score[:, self.worst] < best
        )

    def _lengthened(self, length: KerasTensor) -> KerasTensor:
        return ((5.0 + ops.cast(length, "float32")) / 6.0) ** self.length_penalty

    def _uncovered(self, coverage: KerasTensor) -> KerasTensor:
        each = ops.log(ops.clip(coverage, 1e-9, 1.0))  # (B, C, S)
        counts = ops.cast(self.source_mask, "float32")[:, None]
        return self.coverage_penalty * ops.sum(each * counts, axis=-1)

    def ranked(self, beams: Beams) -> Hypotheses:
        """Finished hypotheses, then those that were cut off."""
        limits = ops.zeros_like(beams.done_lengths) + self.limits[:, None]
        cut_score = beams.log_probability / self._lengthened(limits)
        rank = ops.zeros_like(cut_score) + ops.cast(ops.arange(self.width), "float32")
        cut_off = (
            beams.token_ids,
            limits,
            beams.log_probability,
            cut_score,
            CUT_OFF - rank,
        )
        both = [
            ops.concatenate(pair, axis=1)
            for pair in zip((*beams[-4:], beams.done_score), cut_off)
        ]
        _, best = ops.top_k(both[-1], self.width)
        ids, lengths, log_probability, score, key = (take_by_row(x, best) for x in both)
        there = log_probability > NEVER / 2
        return Hypotheses(
            ops.where(there[..., None], ids, 0),
            ops.where(there, lengths, 0),
            ops.where(there, log_probability, -float("inf")),
            ops.where(there, score, -float("inf")),
            ops.logical_and(there, key > CUT_OFF),
        )


def repeated(state: State, times: int | KerasTensor) -> State:
    return tree.map_structure(lambda x: ops.repeat(x, times, axis=0), state)


def _taken(state: State, rows: KerasTensor) -> State:
    rows = ops.reshape(rows, (-1,))
    return tree.map_structure(lambda x: take(x, rows), state)


def _numbers(active: KerasTensor) -> KerasTensor:
    """The places that are true: bool (B,) to int32 (R,)."""
    return ops.cast(ops.nonzero(active)[0], "int32")
