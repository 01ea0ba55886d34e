// What the operations have in common; each is a struct with its inputs and their
// patterns (shapes.h), its outputs and options, and `run`, which reads nothing before
// the shapes fit.

#pragma once

#include <string>
#include <vector>

#include "call.h"

namespace kseq {

using Names = std::vector<const char*>;

struct Plain {  // an operation that has nothing to do with gates
  static constexpr int GATES = 1, KEPT = 1;
};

// starts of rows: 0, never falling, the number of steps at the end.
inline void require_starts(Call& call, int64_t rows, const int32_t* starts, int64_t count) {
  if (call.failed()) return;
  bool rising = starts[0] == 0 && starts[rows] == count;
  for (int64_t b = 0; b < rows; b++) rising &= starts[b] <= starts[b + 1];
  call.require(rising, "starts do not rise from 0 to " + std::to_string(count));
}

}  // namespace kseq
