// A whole batch of sequences through one cell, forward and backward.
//
// Sequences stand packed end to end, (N, features): row b owns the positions
// starts[b] .. starts[b + 1], in the order of time, without its padding. Rows do not
// depend on each other, so each part (thread) takes some of them through all steps and
// waits for nobody. A part's rows stand longest first: at step k the first `active`
// ones still run, and what is finished costs nothing.

#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "cells.h"
#include "pool.h"
#include "simd.h"

namespace kseq {

struct Batch {
  int rows, units;
  const int32_t* starts;
  bool backwards;  // read each row from its end

  int length(int row) const { return starts[row + 1] - starts[row]; }
  // Position of a row's step number k, in the order of reading.
  size_t at(int row, int k) const {
    return backwards ? starts[row + 1] - 1 - k : starts[row] + k;
  }
  // Every parts-th row, longest first.
  std::vector<int> share(int part, int parts) const {
    std::vector<int> order(rows), mine;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [this](int a, int b) { return length(a) > length(b); });
    for (int i = part; i < rows; i += parts) mine.push_back(order[i]);
    return mine;
  }
  // A part takes half a millisecond or more: below that a second thread gains little,
  // and on a machine busy with other work waiting for it costs more.
  int parts(int threads, int gates) const {
    const double work = (double)(starts[rows] - starts[0]) * units * units * gates;
    const int worth = (int)std::min(work / 2e7, (double)threads);
    return std::max(1, std::min(rows, worth));
  }
};

struct Buffer {  // aligned, rounded up, and not set to anything
  explicit Buffer(size_t size) : data_(size + LANES) {
    const size_t address = reinterpret_cast<size_t>(data_.data());
    const size_t step = LANES * sizeof(float);
    start = data_.data() + (step - address % step) % step / sizeof(float);
  }
  float* start;

 private:
  struct Raw {
    explicit Raw(size_t size) : memory(new float[size]) {}
    float* data() { return memory.get(); }
    std::unique_ptr<float[]> memory;
  } data_;
};

inline void pack(Packed& matrix, const float* from, bool transposed, int threads) {
  const int panels = matrix.panel_count();
  const bool small = (size_t)matrix.depth * matrix.columns < (1 << 16);
  const int parts = small ? 1 : std::min(threads, panels);
  Pool::shared().run(parts, [&](int part) {
    for (int p = part; p < panels; p += parts) matrix.pack_panel(from, transposed, p);
  });
}

struct ForwardArrays {
  const float *inputs, *recurrent, *bias, *bias_h, *h0, *c0;
  float *h_all, *h_last, *c_last, *gates, *c_all;  // null: not wanted
};

template <class Cell>
void forward(const Batch& batch, const ForwardArrays& a, int threads) {
  const int units = batch.units, sums = Cell::GATES * units;
  const int stride = rounded_up(units), sums_stride = rounded_up(sums);
  Buffer memory(Packed::size(units, sums));
  Packed recurrent{units, sums, memory.start};
  pack(recurrent, a.recurrent, false, threads);
  const int parts = batch.parts(threads, Cell::GATES);
  Pool::shared().run(parts, [&](int part) {
    const std::vector<int> rows = batch.share(part, parts);
    const int count = rows.size();
    const size_t floats = (size_t)count * stride;
    Buffer h(floats), c(floats), s((size_t)count * sums_stride);
    for (int r = 0; r < count; r++) {
      const size_t from = (size_t)rows[r] * units, to = (size_t)r * stride;
      std::memcpy(h.start + to, a.h0 + from, units * sizeof(float));
      if (a.c0) std::memcpy(c.start + to, a.c0 + from, units * sizeof(float));
    }
    int active = count;
    for (int k = 0;; k++) {
      while (active && batch.length(rows[active - 1]) <= k) active--;
      if (!active) break;
      product(active, h.start, stride, recurrent, s.start, sums_stride);
      for (int r = 0; r < active; r++) {
        const size_t at = batch.at(rows[r], k);
        Forward step{};
        step.sums = s.start + (size_t)r * sums_stride;
        step.inputs = a.inputs + at * sums;
        step.bias = a.bias;
        step.bias_h = a.bias_h;
        step.h = h.start + (size_t)r * stride;
        step.c = c.start + (size_t)r * stride;
        step.gates = a.gates ? a.gates + at * Cell::KEPT * units : nullptr;
        step.c_kept = a.c_all ? a.c_all + at * units : nullptr;
        step.h_out = a.h_all ? a.h_all + at * units : nullptr;
        Cell::step(units, step);
      }
    }
    for (int r = 0; r < count; r++) {
      const size_t to = (size_t)rows[r] * units, from = (size_t)r * stride;
      std::memcpy(a.h_last + to, h.start + from, units * sizeof(float));
      if (a.c_last) std::memcpy(a.c_last + to, c.start + from, units * sizeof(float));
    }
  });
}

struct BackwardArrays {
  const float *recurrent, *h0, *c0, *h_all, *gates, *c_all;
  const float *dh_all, *dh_last, *dc_last;  // dh_all null: no gradient at any step
  float *dx, *dr;         // of x W + b, and of h U where that differs (else null)
  float *h_before;        // (N, U): what each step's product with U read
  float *dh0, *dc0, *db;  // db: (GATES U), twice that where dr is wanted
};

template <class Cell>
void backward(const Batch& batch, const BackwardArrays& a, int threads) {
  const int units = batch.units, sums = Cell::GATES * units;
  const int stride = rounded_up(units), sums_stride = rounded_up(sums);
  Buffer memory(Packed::size(sums, units));
  Packed recurrent{sums, units, memory.start};
  pack(recurrent, a.recurrent, true, threads);
  const int parts = batch.parts(threads, Cell::GATES), biases = (a.dr ? 2 : 1) * sums;
  std::vector<std::vector<float>> db(parts, std::vector<float>(biases, 0.0f));
  const size_t bytes = units * sizeof(float);
  Pool::shared().run(parts, [&](int part) {
    const std::vector<int> rows = batch.share(part, parts);
    const int count = rows.size();
    const size_t floats = (size_t)count * stride;
    Buffer dh(floats), carry(floats), d((size_t)count * sums_stride);
    std::fill(carry.start, carry.start + floats, 0.0f);
    for (int r = 0; r < count; r++) {
      const size_t from = (size_t)rows[r] * units, to = (size_t)r * stride;
      std::memcpy(dh.start + to, a.dh_last + from, bytes);
      if (a.dc_last) std::memcpy(carry.start + to, a.dc_last + from, bytes);
    }
    int active = 0;
    for (int k = count ? batch.length(rows[0]) - 1 : -1; k >= 0; k--) {
      while (active < count && batch.length(rows[active]) > k) active++;
      for (int r = 0; r < active; r++) {
        const int row = rows[r];
        const size_t at = batch.at(row, k);
        const size_t before = k ? batch.at(row, k - 1) * units : (size_t)row * units;
        Backward step{};
        step.gates = a.gates + at * Cell::KEPT * units;
        step.h = a.h_all + at * units;
        step.h_before = (k ? a.h_all : a.h0) + before;
        step.c = a.c_all ? a.c_all + at * units : nullptr;
        step.c_before = a.c_all ? (k ? a.c_all : a.c0) + before : nullptr;
        step.dy = a.dh_all ? a.dh_all + at * units : nullptr;
        step.dh = dh.start + (size_t)r * stride;
        step.carry = carry.start + (size_t)r * stride;
        step.dx = d.start + (size_t)r * sums_stride;
        step.dx_out = a.dx + at * sums;
        step.dr_out = a.dr ? a.dr + at * sums : nullptr;
        step.db = db[part].data();
        step.dbh = db[part].data() + sums;
        std::memcpy(a.h_before + at * units, step.h_before, bytes);
        Cell::step_back(units, step);
      }
      product(active, d.start, sums_stride, recurrent, dh.start, stride);
    }
    for (int r = 0; r < count; r++) {
      const size_t to = (size_t)rows[r] * units, from = (size_t)r * stride;
      for (int j = 0; j < units; j++) {
        const float carried = carry.start[from + j];
        a.dh0[to + j] = dh.start[from + j] + (a.dc0 ? 0.0f : carried);
        if (a.dc0) a.dc0[to + j] = carried;
      }
    }
  });
  std::fill(a.db, a.db + biases, 0.0f);
  for (const auto& part : db)
    for (int j = 0; j < biases; j++) a.db[j] += part[j];
}

}  // namespace kseq
