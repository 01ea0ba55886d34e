"""Search for the likeliest sequences, several paths at once: greedy, beam, samples.

One loop of Keras ops for all three, so that the same lines run eagerly and inside a
SavedModel. Takes a callable that advances states by a token; needs no model and no
text.

Shapes: B rows, K beams, N = B K, C candidates, T new tokens, V vocabulary, S steps of
a source that is attended to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import KerasTensor, ops, tree

from keras_seq.constants import PAD_ID
from keras_seq.decoding.candidates import Choose, likeliest
from keras_seq.decoding.samplers import NEVER

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


def beam_search(
    advance: Advance,
    fixed: State,
    moving: State,
    *,
    beam_width: int | KerasTensor,
    max_new_tokens: KerasTensor,
    end_id: int | None = None,
    start_id: int = PAD_ID,
    length_penalty: float | KerasTensor = 0.0,
    coverage_penalty: float = 0.0,
    source_mask: KerasTensor | None = None,
    choose: Choose | None = None,
    num_best: int | None = None,
    repeat_fixed: bool = True,
) -> Hypotheses:
    """Finds continuations with a high probability; a row answers as it would alone.

    A finished hypothesis leaves the beam and is kept while it is among the K best. A
    row stops when no path of its beam can still reach those, at the best length it may
    have: stopping earlier than at the limit never changes the answer.

    Wu et al. 2016, arXiv:1609.08144, section 7: the score of a hypothesis Y is

        log P(Y) / lp(Y) + coverage_penalty * sum_j log min(sum_i a_ij, 1)
        lp(Y) = ((5 + |Y|) / 6) ** length_penalty

    Args:
        advance: token ids int32 (N,), `fixed` and `moving` -> logits float (N, V), the
            new `moving`, and attention weights float (N, S) or None.
        fixed: what a step only reads, such as an encoded source; tensors (B, ...).
        moving: what a step changes; tensors (B, ...).
        beam_width: K; 1 is greedy search. In a graph a tensor (), too, unchecked.
        max_new_tokens: int32 (B,), the longest continuation of each row, 1 or more.
        end_id: token that ends one; None lets all run to their limit.
        start_id: token that is read first.
        length_penalty: 0 compares sums; larger values favour longer hypotheses.
        coverage_penalty: weight of source steps that were not attended to.
        source_mask: bool (B, S), the steps that count there; `advance` gives weights.
        choose: which continuations are looked at; default the 2 K likeliest, so that K
            go on even if K end. `candidates.draw_continuations` makes a sampler.
        num_best: hypotheses whose places are certain, at most K; a row stops as soon as
            no path can reach those, and what ranks behind them is the best so far.
            None: all K.
        repeat_fixed: give `advance` a row of `fixed` for each beam, (N, ...); False: as
            it is, and `advance` knows that a row serves K beams, side by side.

    Returns:
        The hypotheses.

    Raises:
        ValueError: A number is out of its range, or the source mask is missing.

    Example:

    >>> table = ops.log(ops.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]]))
    >>> def advance(token_ids, fixed, moving):
    ...     return ops.take(table, token_ids, axis=0), moving, None
    >>> found = beam_search(
    ...     advance, (), (), beam_width=2, max_new_tokens=ops.array([3]), end_id=2)
    >>> [int(n) for n in found.token_ids[0, 0]], round(float(found.score[0, 0]), 2)
    ([1, 0, 0], -0.45)
    """
    if isinstance(beam_width, int) and beam_width < 1:
        raise ValueError(f"beam_width is {beam_width}; expected 1 or more")
    most = beam_width if isinstance(beam_width, int) else 1
    if num_best is not None and not 1 <= num_best <= most:
        raise ValueError(f"num_best is {num_best}; expected 1 to {most}")
    penalties = length_penalty, coverage_penalty
    if any(isinstance(penalty, int | float) and penalty < 0 for penalty in penalties):
        raise ValueError(
            f"length_penalty is {length_penalty}, coverage_penalty {coverage_penalty}; "
            "expected 0 or more"
        )
    if coverage_penalty and source_mask is None:
        raise ValueError("coverage_penalty needs the source_mask of what is covered")
    search = _Search(
        advance=advance,
        fixed=_repeated(fixed, beam_width) if repeat_fixed else fixed,
        width=beam_width,
        worst=-1 if num_best is None else num_best - 1,
        limits=ops.cast(max_new_tokens, "int32"),
        end_id=-1 if end_id is None else end_id,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
        source_mask=source_mask,
        choose=choose or likeliest(2 * beam_width),
    )
    beams = search.start(moving, start_id)
    return search.ranked(_Beams(*ops.while_loop(search.goes_on, search.step, beams)))


class _Beams(NamedTuple):
    """What the loop carries: paths that go on, and the best that have ended."""

    step: KerasTensor  # int32 ()
    token_ids: KerasTensor  # int32 (B, K, T)
    last: KerasTensor  # int32 (N,)
    log_probability: KerasTensor  # float32 (B, K), falling
    coverage: KerasTensor  # float32 (B, K, S), sums of attention weights
    moving: State
    done_ids: KerasTensor  # int32 (B, K, T)
    done_lengths: KerasTensor  # int32 (B, K)
    done_log_probability: KerasTensor  # float32 (B, K)
    done_score: KerasTensor  # float32 (B, K), falling


@dataclass(frozen=True)
class _Search:
    advance: Advance
    fixed: State
    width: int | KerasTensor
    worst: int  # place of the last hypothesis that has to be certain
    limits: KerasTensor
    end_id: int
    length_penalty: float | KerasTensor
    coverage_penalty: float
    source_mask: KerasTensor | None
    choose: Choose

    def start(self, moving: State, start_id: int) -> _Beams:
        rows = ops.shape(self.limits)[0]
        longest = ops.max(self.limits, initial=0)  # 0 where there is no row
        shape = (rows, self.width)
        ids = ops.zeros((*shape, longest), dtype="int32")
        first = ops.where(ops.arange(self.width) > 0, NEVER, 0.0)
        none = ops.full(shape, NEVER, dtype="float32")
        steps = 0 if self.source_mask is None else ops.shape(self.source_mask)[1]
        return _Beams(
            step=ops.zeros((), dtype="int32"),
            token_ids=ids,
            last=ops.full((rows * self.width,), start_id, dtype="int32"),
            log_probability=ops.zeros(shape) + ops.cast(first, "float32"),
            coverage=ops.zeros((*shape, steps)),
            moving=_repeated(moving, self.width),
            done_ids=ids,
            done_lengths=ops.zeros(shape, dtype="int32"),
            done_log_probability=none,
            done_score=none,
        )

    def goes_on(self, *beams: KerasTensor) -> KerasTensor:
        return ops.any(self._active(_Beams(*beams)))

    def step(self, *loop_vars: KerasTensor) -> _Beams:
        beams = _Beams(*loop_vars)
        logits, moving, weights = self.advance(beams.last, self.fixed, beams.moving)
        log_softmax = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
        vocab_size = logits.shape[-1]
        following = ops.reshape(log_softmax, (-1, self.width, vocab_size))
        totals = beams.log_probability[..., None] + following  # (B, K, V)
        values, places = self.choose(totals, beams.step)  # (B, C)
        places = ops.cast(places, "int32")
        source, tokens = places // vocab_size, places % vocab_size
        coverage = beams.coverage
        if self.source_mask is not None:
            coverage = coverage + ops.reshape(weights, ops.shape(coverage))
        beams = beams._replace(moving=moving, coverage=coverage)
        ended = tokens == self.end_id
        kept = self._keep_ended(beams, values, source, ended)
        after = self._go_on(kept, ops.where(ended, NEVER, values), source, tokens)
        shaped = tree.map_structure(
            lambda new, old: ops.reshape(new, ops.shape(old)),
            after._replace(moving=()),
            _Beams(*loop_vars)._replace(moving=()),
        )
        return shaped._replace(moving=after.moving)  # whose steps may become more

    def _keep_ended(
        self,
        beams: _Beams,
        values: KerasTensor,
        source: KerasTensor,
        ended: KerasTensor,
    ) -> _Beams:
        """Of what has ended so far and now, the K best."""
        score = values / self._lengthened(beams.step)
        if self.source_mask is not None:
            score = score + self._uncovered(_pick(beams.coverage, source))
        ended = ops.logical_and(ended, self._active(beams)[:, None])
        new = (
            _pick(beams.token_ids, source),
            ops.zeros_like(source) + beams.step,
            values,
            ops.where(ended, score, NEVER),
        )
        both = [ops.concatenate(pair, axis=1) for pair in zip(beams[6:], new)]
        _, best = ops.top_k(both[-1], self.width)
        ids, lengths, log_probability, score = (_pick(x, best) for x in both)
        return beams._replace(
            done_ids=ids,
            done_lengths=lengths,
            done_log_probability=log_probability,
            done_score=score,
        )

    def _go_on(
        self,
        beams: _Beams,
        values: KerasTensor,
        source: KerasTensor,
        tokens: KerasTensor,
    ) -> _Beams:
        """The K likeliest candidates that have not ended are the next paths."""
        values, best = ops.top_k(values, self.width)
        source, tokens = _pick(source, best), _pick(tokens, best)
        here = ops.arange(ops.shape(beams.token_ids)[2], dtype="int32") == beams.step
        token_ids = ops.where(here, tokens[..., None], _pick(beams.token_ids, source))
        active = self._active(beams)[:, None]
        rows = ops.reshape(_rows(source, self.width), (-1,))
        return beams._replace(
            step=beams.step + 1,
            token_ids=ops.where(active[..., None], token_ids, beams.token_ids),
            last=ops.reshape(tokens, (-1,)),
            log_probability=ops.where(active, values, beams.log_probability),
            coverage=_pick(beams.coverage, source),
            moving=tree.map_structure(
                lambda x: ops.take(x, rows, axis=0), beams.moving
            ),
        )

    def _active(self, beams: _Beams) -> KerasTensor:
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

    def ranked(self, beams: _Beams) -> Hypotheses:
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
            for pair in zip((*beams[6:], beams.done_score), cut_off)
        ]
        _, best = ops.top_k(both[-1], self.width)
        ids, lengths, log_probability, score, key = (_pick(x, best) for x in both)
        there = log_probability > NEVER / 2
        return Hypotheses(
            ops.where(there[..., None], ids, 0),
            ops.where(there, lengths, 0),
            ops.where(there, log_probability, -float("inf")),
            ops.where(there, score, -float("inf")),
            ops.logical_and(there, key > CUT_OFF),
        )


def _repeated(state: State, times: int | KerasTensor) -> State:
    return tree.map_structure(lambda x: ops.repeat(x, times, axis=0), state)


def _rows(places: KerasTensor, count: int) -> KerasTensor:
    """Places (B, C) among each row's `count` as places among all rows'."""
    starts = ops.arange(ops.shape(places)[0], dtype="int32") * count
    return ops.cast(places, "int32") + starts[:, None]


def _pick(values: KerasTensor, places: KerasTensor) -> KerasTensor:
    """Values (B, J, ...) at places (B, C): (B, C, ...)."""
    shape = ops.shape(values)
    flat = ops.reshape(values, (-1, *shape[2:]))
    return ops.take(flat, _rows(places, shape[1]), axis=0)
