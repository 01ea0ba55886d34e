"""Where the time of TensorFlow's operations goes: each one's own, without its callees.

Knows no model: a callable is run under `tf.profiler`, and its events are added up by
the kind of operation.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf

SHOWN = 14  # kinds


def own_seconds(run: Callable[[], object]) -> tuple[Counter, Counter]:
    """Seconds and calls of each kind of operation, in all threads together.

    Args:
        run: called once; warm it up before.
    """
    with tempfile.TemporaryDirectory() as folder:
        levels = tf.profiler.experimental.ProfilerOptions(python_tracer_level=0)
        tf.profiler.experimental.start(folder, levels)
        run()
        tf.profiler.experimental.stop()
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    seconds: Counter = Counter()
    calls: Counter = Counter()
    for plane in space.planes:
        if "CPU" not in plane.name:
            continue
        names = {key: event.name for key, event in plane.event_metadata.items()}
        for line in plane.lines:
            for name, own in _own(line.events):
                # An operation is "place in the graph:kind"; what runs them has "::".
                place, _, kind = names[name].rpartition(":")
                if place and not place.endswith(":") and kind.isidentifier():
                    seconds[kind] += own / 1e12
                    calls[kind] += 1
    return seconds, calls


def _own(events: Iterable[Any]) -> list[tuple[int, int]]:
    """Each event of a thread, and its picoseconds less those of events within it."""
    found: list[tuple[int, int]] = []
    open_events: list[list[int]] = []  # end, name, own

    def close(time: float) -> None:
        while open_events and open_events[-1][0] <= time:
            _, name, own = open_events.pop()
            found.append((name, own))

    for event in sorted(events, key=lambda e: (e.offset_ps, -e.duration_ps)):
        close(event.offset_ps)
        if open_events:
            open_events[-1][2] -= event.duration_ps
        end = event.offset_ps + event.duration_ps
        open_events.append([end, event.metadata_id, event.duration_ps])
    close(float("inf"))
    return found


def print_profile(title: str, run: Callable[[], object]) -> None:
    """Prints the kinds that take longest, and their share of all."""
    seconds, calls = own_seconds(run)
    total = sum(seconds.values())
    print(f"{title}: {1000 * total:.0f} ms of operations, in all threads")
    for kind, own in seconds.most_common(SHOWN):
        share = f"{own / total:5.1%}"
        print(f"  {share} {1000 * own:8.1f} ms {calls[kind]:7,} times  {kind}")
