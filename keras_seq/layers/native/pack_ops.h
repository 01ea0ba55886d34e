// The operations around the cells: which rows and steps there are, taking a mask out,
// and putting it back. Numbers that point into other tensors are looked at first.

#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "operation.h"

namespace kseq {

// Shapes of x (B, T, F), the states and the mask (none: empty) -> the shape that x has
// when all have as many rows. As in Keras, one row serves for all of the others'.
struct FitOp : Plain {
  static constexpr Input inputs[] = {{"x: int32", "3"},
                                     {"h: int32", "2"},
                                     {"c: int32", "2"},
                                     {"mask: int32", "D"}};
  static Names outputs() { return {"shape: int32"}; }
  static Names options() { return {"units: int >= 1"}; }

  static void run(Call& call, const Options& options) {
    const int32_t *x = call.data<int32_t>(0), *h = call.data<int32_t>(1),
                  *c = call.data<int32_t>(2), *mask = call.data<int32_t>(3);
    const bool masked = call.size('D') > 0;
    call.require(!masked || call.size('D') == 2, "the mask is not (B, T)");
    if (call.failed()) return;
    int32_t rows = 1;
    bool fits = true;
    auto add = [&](int32_t other) {
      if (rows == 1) rows = other;
      fits &= other == 1 || other == rows;
    };
    for (const int32_t* shape : {x, h, c}) add(shape[0]);
    if (masked) add(mask[0]);
    fits &= h[1] == options.units && (c[1] == options.units || c[1] == 1);
    fits &= !masked || mask[1] == x[1];
    auto text = [](const int32_t* shape, int rank) {
      std::string text = "(" + std::to_string(shape[0]);
      for (int i = 1; i < rank; i++) text += ", " + std::to_string(shape[i]);
      return text + ")";
    };
    const std::string wanted = "expected states (B, " + std::to_string(options.units) +
                               ") and a mask (B, T)";
    call.require(fits, "shapes do not fit: sequences " + text(x, 3) + ", states " +
                           text(h, 2) + " and " + text(c, 2) +
                           (masked ? ", mask " + text(mask, 2) : "") + "; " + wanted);
    call.require(x[1] > 0, "sequences of no steps: " + text(x, 3));
    int32_t* shape = call.output<int32_t>(0, TF_INT32, {3});
    if (call.failed()) return;
    shape[0] = rows;
    shape[1] = x[1];
    shape[2] = x[2];
  }
};

// shape (B, T, ...) -> where each row starts when every step counts
struct StartsOp : Plain {
  static constexpr Input inputs[] = {{"shape: int32", "D"}};
  static Names outputs() { return {"starts: int32"}; }
  static Names options() { return {}; }

  static void run(Call& call, const Options&) {
    const int32_t* shape = call.data<int32_t>(0);
    call.require(call.size('D') >= 2 && shape[0] >= 0 && shape[1] >= 0,
                 "the shape is not (B, T, ...)");
    if (call.failed()) return;
    const int64_t rows = shape[0], steps = shape[1];
    call.require(rows * steps <= Sizes::LARGEST,
                 "too many steps: " + std::to_string(rows * steps));
    int32_t* starts = call.output<int32_t>(0, TF_INT32, {rows + 1});
    if (call.failed()) return;
    for (int64_t b = 0; b <= rows; b++) starts[b] = b * steps;
  }
};

// mask (B, T) -> numbers of the steps that count, in (B T), and where each row starts
struct PlanOp : Plain {
  static constexpr Input inputs[] = {{"mask: bool", "B T"}};
  static Names outputs() { return {"numbers: int32", "starts: int32"}; }
  static Names options() { return {}; }

  static void run(Call& call, const Options&) {
    const int64_t rows = call.size('B'), steps = call.size('T');
    const bool* mask = call.data<bool>(0);
    call.require(rows * steps <= Sizes::LARGEST,
                 "too many steps: " + std::to_string(rows * steps));
    std::vector<int32_t> found;
    int32_t* starts = call.output<int32_t>(1, TF_INT32, {rows + 1});
    if (call.failed()) return;
    for (int64_t b = 0; b < rows; b++) {
      starts[b] = found.size();
      for (int64_t t = 0; t < steps; t++)
        if (mask[b * steps + t]) found.push_back(b * steps + t);
    }
    starts[rows] = found.size();
    int32_t* to = call.output<int32_t>(0, TF_INT32, {(int64_t)found.size()});
    if (call.failed()) return;
    std::copy(found.begin(), found.end(), to);
  }
};

// source (M, F), numbers (N,) -> (N, F)
struct GatherOp : Plain {
  static constexpr Input inputs[] = {{"source: float", "M F"}, {"numbers: int32", "N"}};
  static Names outputs() { return {"packed: float"}; }
  static Names options() { return {}; }

  static void run(Call& call, const Options&) {
    const int64_t features = call.size('F'), count = call.size('N'), size = call.size('M');
    const int32_t* numbers = call.data<int32_t>(1);
    bool inside = true;
    for (int64_t i = 0; i < count; i++) inside &= numbers[i] >= 0 && numbers[i] < size;
    call.require(inside, "numbers do not lie in [0, " + std::to_string(size) + ")");
    float* to = call.floats(0, {count, features});
    if (call.failed()) return;
    const float* from = call.data(0);
    for (int64_t i = 0; i < count; i++)
      std::memcpy(to + i * features, from + numbers[i] * features,
                  features * sizeof(float));
  }
};

// packed (N, F), numbers (N,), size M -> (M, F), zero where no number points
struct ScatterOp : Plain {
  static constexpr Input inputs[] = {
      {"packed: float", "N F"}, {"numbers: int32", "N"}, {"size: int32", ""}};
  static Names outputs() { return {"whole: float"}; }
  static Names options() { return {}; }

  static void run(Call& call, const Options&) {
    const int64_t features = call.size('F'), count = call.size('N');
    if (call.failed()) return;
    const int64_t size = *call.data<int32_t>(2);
    const int32_t* numbers = call.data<int32_t>(1);
    call.require(size >= 0 && size <= Sizes::LARGEST,
                 "size is " + std::to_string(size));
    bool rising = true;
    int64_t next = 0;
    for (int64_t i = 0; i < count; i++) {
      rising &= numbers[i] >= next && numbers[i] < size;
      next = (int64_t)numbers[i] + 1;
    }
    call.require(rising, "numbers do not rise in [0, " + std::to_string(size) + ")");
    float* to = call.floats(0, {size, features});
    if (call.failed()) return;
    const float* from = call.data(0);
    next = 0;
    for (int64_t i = 0; i < count; i++) {
      std::fill(to + next * features, to + numbers[i] * features, 0.0f);
      std::memcpy(to + numbers[i] * features, from + i * features,
                  features * sizeof(float));
      next = (int64_t)numbers[i] + 1;
    }
    std::fill(to + next * features, to + size * features, 0.0f);
  }
};

// Calls visit(b, p, at) for row b and each step p of the answer; `at` is the position
// of the packed state that stands there, -1 for zeros.
template <class Visit>
void walk(const Options& options, int64_t rows, int64_t steps, const bool* mask,
          const int32_t* starts, Visit visit) {
  for (int64_t b = 0; b < rows; b++) {
    int64_t last = -1, seen = 0;
    for (int64_t p = 0; p < steps; p++) {  // in the order of reading
      const bool present = mask[b * steps + (options.backwards ? steps - 1 - p : p)];
      if (present) {
        last = options.backwards ? starts[b + 1] - 1 - seen : starts[b] + seen;
        seen++;
      }
      visit(b, options.flip ? steps - 1 - p : p, present || !options.zero ? last : -1);
    }
  }
}

// Each row has as many packed steps as its mask counts.
inline void require_plan(Call& call, const bool* mask, const int32_t* starts, int64_t count) {
  const int64_t rows = call.size('B'), steps = call.size('T');
  require_starts(call, rows, starts, count);
  if (call.failed()) return;
  bool agree = true;
  for (int64_t b = 0; b < rows; b++)
    agree &= std::count(mask + b * steps, mask + (b + 1) * steps, true) ==
             starts[b + 1] - starts[b];
  call.require(agree, "the mask counts other steps than starts");
}

inline Names order_options() { return {"backwards: bool", "flip: bool", "zero: bool"}; }

// packed (N, U), mask (B, T), starts -> (B, T, U)
struct UnpackOp : Plain {
  static constexpr Input inputs[] = {
      {"packed: float", "N U"}, {"mask: bool", "B T"}, {"starts: int32", "B+1"}};
  static Names outputs() { return {"whole: float"}; }
  static Names options() { return order_options(); }

  static void run(Call& call, const Options& options) {
    const int64_t units = call.size('U'), rows = call.size('B'), steps = call.size('T');
    const bool* mask = call.data<bool>(1);
    const int32_t* starts = call.data<int32_t>(2);
    require_plan(call, mask, starts, call.size('N'));
    float* to = call.floats(0, {rows, steps, units});
    if (call.failed()) return;
    const float* from = call.data(0);
    walk(options, rows, steps, mask, starts, [&](int64_t b, int64_t p, int64_t at) {
      float* here = to + (b * steps + p) * units;
      if (at < 0)
        std::fill(here, here + units, 0.0f);
      else
        std::memcpy(here, from + at * units, units * sizeof(float));
    });
  }
};

// dy (B, T, U), mask (B, T), starts, numbers (N,) -> (N, U)
struct UnpackBackOp : Plain {
  static constexpr Input inputs[] = {{"whole: float", "B T U"},
                                     {"mask: bool", "B T"},
                                     {"starts: int32", "B+1"},
                                     {"numbers: int32", "N"}};
  static Names outputs() { return {"packed: float"}; }
  static Names options() { return order_options(); }

  static void run(Call& call, const Options& options) {
    const int64_t units = call.size('U'), count = call.size('N');
    const int64_t rows = call.size('B'), steps = call.size('T');
    const bool* mask = call.data<bool>(1);
    const int32_t* starts = call.data<int32_t>(2);
    require_plan(call, mask, starts, count);
    float* to = call.floats(0, {count, units});
    if (call.failed()) return;
    const float* from = call.data(0);
    std::vector<bool> begun(count, false);
    walk(options, rows, steps, mask, starts, [&](int64_t b, int64_t p, int64_t at) {
      if (at < 0) return;
      const float* here = from + (b * steps + p) * units;
      float* there = to + at * units;
      if (!begun[at])
        std::memcpy(there, here, units * sizeof(float));
      else
        for (int64_t j = 0; j < units; j++) there[j] += here[j];
      begun[at] = true;
    });
  }
};

}  // namespace kseq
