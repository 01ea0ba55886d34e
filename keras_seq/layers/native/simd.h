// Vectors of the width the machine has, tanh and sigmoid of them, and a small matrix
// product whose right side is packed once and used at every time step.
//
// GCC's and Clang's vector extensions: the same source compiles for AVX-512, AVX, SSE
// and NEON. Nothing here knows of recurrent cells or of TensorFlow.

#pragma once

#include <algorithm>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace kseq {

// LANES floats a vector; ROWS x 4 sums stay in registers during a product.
#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 6;
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 3;
#elif defined(__aarch64__)
constexpr int LANES = 4, ROWS = 6;
#else
constexpr int LANES = 4, ROWS = 3;
#endif
constexpr int PANEL = 4;  // vectors side by side in a panel of the packed matrix

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float Unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

inline Vector all(float value) { return value - Vector{}; }
inline Vector load(const float* from) { return *(const Unaligned*)from; }
inline void store(float* to, Vector value) { *(Unaligned*)to = value; }

// The last vector of a row may hold fewer than LANES numbers.
#if defined(__AVX512F__)
inline __mmask16 first(int count) { return (__mmask16)((1u << count) - 1); }
inline Vector load(const float* from, int count) {
  if (count >= LANES) return load(from);
  return (Vector)_mm512_maskz_loadu_ps(first(count), from);
}
inline void store(float* to, Vector value, int count) {
  if (count >= LANES) return store(to, value);
  _mm512_mask_storeu_ps(to, first(count), (__m512)value);
}
#else
inline Vector load(const float* from, int count) {
  if (count >= LANES) return load(from);
  Vector value{};
  std::memcpy(&value, from, count * sizeof(float));
  return value;
}
inline void store(float* to, Vector value, int count) {
  if (count >= LANES) return store(to, value);
  std::memcpy(to, &value, count * sizeof(float));
}
#endif

inline int rounded_up(int size) { return (size + LANES - 1) / LANES * LANES; }

inline Vector quotient(Vector a, Vector b) {
#if defined(__AVX512F__)
  // 14 bits, and one step of Newton's method: as exact as the sums around it.
  Vector inverse = (Vector)_mm512_maskz_rcp14_ps(-1, (__m512)b);
  inverse = inverse * (2.0f - b * inverse);
  return a * inverse;
#else
  return a / b;
#endif
}

// A rational function of x on [-7.9, 7.9], tanh to a few units in the last place
// (coefficients as in Eigen's ptanh).
inline Vector tanh(Vector x) {
  const Vector limit = all(7.90531110763549805f), far = all(44.0f), given = x;
  x = x > limit ? limit : x;
  x = x < -limit ? -limit : x;
  const Vector s = x * x;
  Vector p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
  p = s * p + -8.60467152213735e-11f;
  p = s * p + 5.12229709037114e-08f;
  p = s * p + 1.48572235717979e-05f;
  p = s * p + 6.37261928875436e-04f;
  p = s * p + 4.89352455891786e-03f;
  Vector q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
  q = s * q + 2.26843463243900e-03f;
  q = s * q + 4.89352518554385e-03f;
  Vector y = quotient(x * p, q);
  // Exactly 1 where float32 says so: an infinite state times a closed gate is no number.
  y = given > far ? all(1.0f) : y;
  return given < -far ? all(-1.0f) : y;
}
inline Vector sigmoid(Vector x) { return tanh(x * 0.5f) * 0.5f + 0.5f; }

// (K, N) with its columns in panels of PANEL vectors: each panel is read from end to
// end. `transposed` says that the source is (N, K).
struct Packed {
  int depth, columns;  // K, N
  float* panels;

  static size_t size(int depth, int columns) {
    return (size_t)depth * rounded_up(columns);
  }
  int panel_count() const { return (columns + PANEL * LANES - 1) / (PANEL * LANES); }
  int width(int panel) const {
    return std::min(PANEL * LANES, rounded_up(columns - panel * PANEL * LANES));
  }
  float* panel(int number) const {
    return panels + (size_t)number * PANEL * LANES * depth;
  }

  void pack_panel(const float* from, bool transposed, int number) {
    const int first = number * PANEL * LANES, wide = width(number);
    const int filled = std::min(wide, columns - first);
    float* to = panel(number);
    if (!transposed) {
      for (int k = 0; k < depth; k++) {
        std::memcpy(to + (size_t)k * wide, from + (size_t)k * columns + first,
                    filled * sizeof(float));
        std::fill(to + (size_t)k * wide + filled, to + (size_t)(k + 1) * wide, 0.0f);
      }
      return;
    }
    for (int k = 0; k < depth; k += LANES) {  // a block that the first cache holds
      const int end = std::min(depth, k + LANES);
      for (int j = 0; j < wide; j++)
        for (int i = k; i < end; i++)
          to[(size_t)i * wide + j] =
              j < filled ? from[(size_t)(first + j) * depth + i] : 0.0f;
    }
  }
};

template <int R, int W>
void product_block(int depth, const float* a, int a_stride, const float* b, float* c,
                   int c_stride) {
  Vector sums[R][W] = {};
  for (int k = 0; k < depth; k++) {
    Vector right[W];
    for (int w = 0; w < W; w++) right[w] = load(b + ((size_t)k * W + w) * LANES);
    for (int r = 0; r < R; r++) {
      const Vector left = all(a[(size_t)r * a_stride + k]);
      for (int w = 0; w < W; w++) sums[r][w] += left * right[w];
    }
  }
  for (int r = 0; r < R; r++)
    for (int w = 0; w < W; w++) store(c + (size_t)r * c_stride + w * LANES, sums[r][w]);
}

using Block = void (*)(int, const float*, int, const float*, float*, int);

template <int R>
Block block_of_width(int vectors) {
  switch (vectors) {
    case 1: return product_block<R, 1>;
    case 2: return product_block<R, 2>;
    case 3: return product_block<R, 3>;
    default: return product_block<R, 4>;
  }
}
inline Block block_of(int rows, int vectors) {
  switch (rows) {
    case 1: return block_of_width<1>(vectors);
    case 2: return block_of_width<2>(vectors);
    case 3: return block_of_width<3>(vectors);
    case 4: return block_of_width<4>(vectors);
    case 5: return block_of_width<5>(vectors);
    default: return block_of_width<6>(vectors);
  }
}

// c (rows, N) = a (rows, K) b; the rows of c have room for whole vectors.
inline void product(int rows, const float* a, int a_stride, const Packed& b, float* c,
                    int c_stride) {
  const int blocks = (rows + ROWS - 1) / ROWS;
  for (int p = 0; p < b.panel_count(); p++) {
    const int vectors = b.width(p) / LANES;
    for (int i = 0; i < blocks; i++) {  // of equal height, or one row less
      const int from = rows * i / blocks, to = rows * (i + 1) / blocks;
      block_of(to - from, vectors)(b.depth, a + (size_t)from * a_stride, a_stride,
                                   b.panel(p), c + (size_t)from * c_stride +
                                   p * PANEL * LANES, c_stride);
    }
  }
}

}  // namespace kseq
