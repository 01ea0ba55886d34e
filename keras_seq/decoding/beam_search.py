"""Search for the likeliest sequences, several paths at once: greedy, beam, samples.

One loop of Keras ops for all three, so that the same lines run eagerly and inside a
SavedModel. Takes a callable that advances states by a token; needs no model and no
text.

Shapes: B rows, R rows that go on, K beams, N = B K, T new tokens, V vocabulary, S steps
of a source that is attended to.
"""

from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID
from keras_seq.decoding.beams import Advance, Beams, Hypotheses, Search, State, repeated
from keras_seq.decoding.candidates import Choose, likeliest

__all__ = ["Advance", "Hypotheses", "State", "beam_search"]


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
    leave_out: bool = False,
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
            go on even if K end.
        num_best: hypotheses whose places are certain, at most K; a row stops as soon as
            no path can reach those, and what ranks behind them is the best so far.
            None: all K.
        leave_out: give `advance` no rows that are done: token ids int32 (R K,) and
            `moving` of R rows, K beams side by side, and `fixed` (R, ...), of which
            each serves all beams of its row. Faster, where loops may carry tensors
            that shrink: in a graph the number of rows has to be unknown.

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
    if leave_out and choose is not None:
        raise ValueError("choose draws for all rows; leave_out would take some away")
    search = Search(
        advance=advance,
        leave_out=leave_out,
        width=beam_width,
        worst=-1 if num_best is None else num_best - 1,
        limits=ops.cast(max_new_tokens, "int32"),
        end_id=-1 if end_id is None else end_id,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
        source_mask=source_mask,
        choose=choose or likeliest(2 * beam_width),
    )
    fixed = fixed if leave_out else repeated(fixed, beam_width)
    beams = search.start(fixed, moving, start_id)
    return search.ranked(Beams(*ops.while_loop(search.goes_on, search.step, beams)))
