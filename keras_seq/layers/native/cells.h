// One time step of each cell, forward and backward, over the U units of one row.
//
// Gates stand one after another, in Keras' order: LSTM i, f, g, o; GRU z, r, candidate.
// `gates` is what the backward step needs of the forward one.

#pragma once

#include "simd.h"

namespace kseq {

// Of one row at one step. Pointers into buffers of G x U or U numbers.
struct Forward {
  const float *sums;       // h U, of all gates
  const float *inputs;     // x W
  const float *bias;       // of the inputs
  const float *bias_h;     // of h U (GRU)
  float *h, *c;            // state, replaced by the new one
  float *gates, *c_kept;   // null: nothing is kept
  float *h_out;            // null: no sequence is wanted
};

struct Backward {
  const float *gates, *c, *c_before, *h, *h_before;
  const float *dy;       // gradient of this step's output; null: none
  float *dh, *carry;     // gradients that come from the next step
  float *dx, *dx_out;    // of the sums: for the product with U, and the answer
  float *dr_out;         // GRU: of h U, where it differs from dx
  float *db, *dbh;       // added up over steps
};

struct Lstm {
  static constexpr int GATES = 4, KEPT = 4;

  static void step(int units, const Forward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      auto sum = [&](int gate) {
        const int at = gate * units + j;
        return load(s.sums + at, n) + load(s.inputs + at, n) + load(s.bias + at, n);
      };
      const Vector i = sigmoid(sum(0)), f = sigmoid(sum(1)), g = tanh(sum(2)),
                   o = sigmoid(sum(3));
      const Vector c = f * load(s.c + j, n) + i * g;
      const Vector h = o * tanh(c);
      store(s.c + j, c, n);
      store(s.h + j, h, n);
      if (s.h_out) store(s.h_out + j, h, n);
      if (s.gates) {
        store(s.gates + j, i, n);
        store(s.gates + units + j, f, n);
        store(s.gates + 2 * units + j, g, n);
        store(s.gates + 3 * units + j, o, n);
        store(s.c_kept + j, c, n);
      }
    }
  }

  static void step_back(int units, const Backward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      auto gate = [&](int number) { return load(s.gates + number * units + j, n); };
      const Vector i = gate(0), f = gate(1), g = gate(2), o = gate(3);
      const Vector t = tanh(load(s.c + j, n));
      Vector dh = load(s.dh + j, n);
      if (s.dy) dh += load(s.dy + j, n);
      const Vector dc = load(s.carry + j, n) + dh * o * (1.0f - t * t);
      const Vector d[4] = {
          dc * g * i * (1.0f - i),
          dc * load(s.c_before + j, n) * f * (1.0f - f),
          dc * i * (1.0f - g * g),
          dh * t * o * (1.0f - o),
      };
      store(s.carry + j, dc * f, n);
      for (int k = 0; k < 4; k++) {
        const int at = k * units + j;
        store(s.dx + at, d[k], n);
        store(s.dx_out + at, d[k], n);
        store(s.db + at, load(s.db + at, n) + d[k], n);
      }
    }
  }
};

struct Gru {  // reset_after
  static constexpr int GATES = 3, KEPT = 4;

  static void step(int units, const Forward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      auto from_x = [&](int gate) {
        const int at = gate * units + j;
        return load(s.inputs + at, n) + load(s.bias + at, n);
      };
      auto from_h = [&](int gate) {
        const int at = gate * units + j;
        return load(s.sums + at, n) + load(s.bias_h + at, n);
      };
      const Vector z = sigmoid(from_x(0) + from_h(0)), r = sigmoid(from_x(1) + from_h(1));
      const Vector inner = from_h(2), g = tanh(from_x(2) + r * inner);
      const Vector h = z * load(s.h + j, n) + (1.0f - z) * g;
      store(s.h + j, h, n);
      if (s.h_out) store(s.h_out + j, h, n);
      if (s.gates) {
        store(s.gates + j, z, n);
        store(s.gates + units + j, r, n);
        store(s.gates + 2 * units + j, g, n);
        store(s.gates + 3 * units + j, inner, n);
      }
    }
  }

  static void step_back(int units, const Backward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      auto gate = [&](int number) { return load(s.gates + number * units + j, n); };
      const Vector z = gate(0), r = gate(1), g = gate(2), inner = gate(3);
      Vector dh = load(s.dh + j, n) + load(s.carry + j, n);
      if (s.dy) dh += load(s.dy + j, n);
      const Vector dg = dh * (1.0f - z) * (1.0f - g * g);
      const Vector d[3] = {
          dh * (load(s.h_before + j, n) - g) * z * (1.0f - z),
          dg * inner * r * (1.0f - r),
          dg,
      };
      store(s.carry + j, dh * z, n);
      for (int k = 0; k < 3; k++) {
        const int at = k * units + j;
        const Vector inside = k < 2 ? d[k] : dg * r;
        store(s.dx + at, inside, n);
        store(s.dr_out + at, inside, n);
        store(s.dx_out + at, d[k], n);
        store(s.db + at, load(s.db + at, n) + d[k], n);
        store(s.dbh + at, load(s.dbh + at, n) + inside, n);
      }
    }
  }
};

struct Simple {  // tanh
  static constexpr int GATES = 1, KEPT = 0;

  static void step(int units, const Forward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      const Vector h = tanh(load(s.sums + j, n) + load(s.inputs + j, n) +
                            load(s.bias + j, n));
      store(s.h + j, h, n);
      if (s.h_out) store(s.h_out + j, h, n);
    }
  }

  static void step_back(int units, const Backward& s) {
    for (int j = 0; j < units; j += LANES) {
      const int n = units - j;
      const Vector h = load(s.h + j, n);
      Vector dh = load(s.dh + j, n);
      if (s.dy) dh += load(s.dy + j, n);
      const Vector d = dh * (1.0f - h * h);
      store(s.dx + j, d, n);
      store(s.dx_out + j, d, n);
      store(s.db + j, load(s.db + j, n) + d, n);
    }
  }
};

}  // namespace kseq
