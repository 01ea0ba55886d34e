// The operations that walk a batch through one cell, forward and backward.

#pragma once

#include "operation.h"
#include "sequence.h"

namespace kseq {

template <class Cell>
struct ForwardOp : Cell {
  static constexpr bool HAS_C = Cell::GATES == 4;
  // x W, and for a second gradient alone, x and W.
  static constexpr Input inputs[] = {
      {"inputs: float", "N GU"},
      {"recurrent: float", "U GU"},
      {"bias: float", Cell::GATES == 3 ? "2 GU" : "GU"},
      {"h0: float", "B U"},
      {"c0: float", HAS_C ? "B U" : "*"},
      {"starts: int32", "B+1"},
      {"source: float", "N F"},
      {"kernel: float", "F GU"},
  };
  static Names outputs() {
    return {"h_all: float", "h_last: float", "c_last: float", "gates: float",
            "c_all: float"};
  }
  static Names options() {
    return {"backwards: bool", "keep: bool", "sequences: bool", "threads: int >= 1"};
  }

  static void run(Call& call, const Options& options) {
    const int64_t count = call.size('N'), units = call.size('U'), rows = call.size('B');
    const int32_t* starts = call.data<int32_t>(5);
    require_starts(call, rows, starts, count);
    ForwardArrays a{};
    a.inputs = call.data(0);
    a.recurrent = call.data(1);
    a.bias = call.data(2);
    a.bias_h = a.bias + Cell::GATES * units;  // read by cells with two biases alone
    a.h0 = call.data(3);
    a.c0 = HAS_C ? call.data(4) : nullptr;
    a.h_all = call.floats_if(options.keep || options.sequences, 0, {count, units});
    a.h_last = call.floats(1, {rows, units});
    a.c_last = call.floats_if(HAS_C, 2, {rows, units});
    // What the gates were made of is read once, where they are then kept.
    a.gates = options.keep && Cell::KEPT == Cell::GATES
                  ? call.floats_over(0, 3, {count, Cell::KEPT * units})
                  : call.floats_if(options.keep && Cell::KEPT, 3,
                                   {count, Cell::KEPT * units});
    a.c_all = call.floats_if(options.keep && HAS_C, 4, {count, units});
    if (call.failed()) return;
    const Batch batch{(int)rows, (int)units, starts, options.backwards};
    forward<Cell>(batch, a, options.threads);
  }
};

template <class Cell>
struct BackwardOp : Cell {
  static constexpr bool HAS_C = Cell::GATES == 4, HAS_DR = Cell::GATES == 3;
  // The first five are what the forward step was made of; of them all but recurrent,
  // h0 and c0 are for a second gradient alone.
  static constexpr Input inputs[] = {
      {"source: float", "N F"},
      {"kernel: float", "F GU"},
      {"recurrent: float", "U GU"},
      {"bias: float", HAS_DR ? "2 GU" : "GU"},
      {"h0: float", "B U"},
      {"c0: float", HAS_C ? "B U" : "*"},
      {"starts: int32", "B+1"},
      {"h_all: float", "N U"},
      {"gates: float", Cell::KEPT ? "N KU" : "*"},
      {"c_all: float", HAS_C ? "N U" : "*"},
      {"dh_all: float", "L U"},
      {"dh_last: float", "B U"},
      {"dc_last: float", HAS_C ? "B U" : "*"},
  };
  static Names outputs() {
    return {"dx: float", "dr: float", "h_before: float", "dh0: float", "dc0: float",
            "db: float"};
  }
  static Names options() {
    return {"backwards: bool", "sequences: bool", "threads: int >= 1"};
  }

  static void run(Call& call, const Options& options) {
    const int64_t count = call.size('N'), units = call.size('U'), rows = call.size('B');
    const int64_t sums = Cell::GATES * units;
    const int32_t* starts = call.data<int32_t>(6);
    require_starts(call, rows, starts, count);
    call.require(!options.sequences || call.size('L') == count,
                 "dh_all has not one row a step");
    BackwardArrays a{};
    a.recurrent = call.data(2);
    a.h0 = call.data(4);
    a.c0 = call.data(5);
    a.h_all = call.data(7);
    a.gates = call.data(8);
    a.c_all = HAS_C ? call.data(9) : nullptr;
    a.dh_all = options.sequences ? call.data(10) : nullptr;
    a.dh_last = call.data(11);
    a.dc_last = HAS_C ? call.data(12) : nullptr;
    a.dx = Cell::KEPT == Cell::GATES ? call.floats_over(8, 0, {count, sums})
                                     : call.floats(0, {count, sums});
    a.dr = call.floats_if(HAS_DR, 1, {count, sums});
    a.h_before = call.floats(2, {count, units});
    a.dh0 = call.floats(3, {rows, units});
    a.dc0 = call.floats_if(HAS_C, 4, {rows, units});
    a.db = call.floats(5, {(HAS_DR ? 2 : 1) * sums});
    if (call.failed()) return;
    const Batch batch{(int)rows, (int)units, starts, options.backwards};
    backward<Cell>(batch, a, options.threads);
  }
};

}  // namespace kseq
