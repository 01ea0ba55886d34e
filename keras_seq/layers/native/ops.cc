// TensorFlow operations around sequence.h, registered through TensorFlow's C interface:
// it needs none of the C++ headers, so this file compiles in seconds.
//
// The caller (keras_seq/layers/recurrent_native.py) guarantees that shapes fit.

#include <cstring>
#include <vector>

#include "call.h"
#include "sequence.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace kseq {

// inputs (N, G U), recurrent, bias (G U) or (2, G U), h0, c0, starts -> h_all, h_last,
// c_last, gates, c_all
template <class Cell>
void run_forward(void* state, TF_OpKernelContext* context) {
  const auto& options = *(Options*)state;
  Call call(context);
  const int64_t count = call.size(0, 0), units = call.size(1, 0);
  const int64_t rows = call.size(3, 0);
  const bool has_c = Cell::GATES == 4;
  ForwardArrays a{};
  a.inputs = call.data(0);
  a.recurrent = call.data(1);
  a.bias = call.data(2);
  a.bias_h = a.bias + Cell::GATES * units;  // read by cells with two biases alone
  a.h0 = call.data(3);
  a.c0 = has_c ? call.data(4) : nullptr;
  a.h_all = call.floats_if(options.keep || options.sequences, 0, {count, units});
  a.h_last = call.floats(1, {rows, units});
  a.c_last = call.floats_if(has_c, 2, {rows, units});
  // What the gates were made of is read once, where they are then kept.
  a.gates = options.keep && Cell::KEPT == Cell::GATES
                ? call.floats_over(0, 3, {count, Cell::KEPT * units})
                : call.floats_if(options.keep && Cell::KEPT, 3,
                                 {count, Cell::KEPT * units});
  a.c_all = call.floats_if(options.keep && has_c, 4, {count, units});
  if (call.failed()) return;
  const Batch batch{(int)rows, (int)units, call.data<int32_t>(5), options.backwards};
  forward<Cell>(batch, a, options.threads);
}

// recurrent, h0, c0, starts, h_all, gates, c_all, dh_all, dh_last, dc_last -> dx, dr,
// h_before, dh0, dc0, db
template <class Cell>
void run_backward(void* state, TF_OpKernelContext* context) {
  const auto& options = *(Options*)state;
  Call call(context);
  const int64_t units = call.size(0, 0), rows = call.size(1, 0);
  const int64_t count = call.size(4, 0), sums = Cell::GATES * units;
  const bool has_c = Cell::GATES == 4, has_dr = Cell::GATES == 3;
  BackwardArrays a{};
  a.recurrent = call.data(0);
  a.h0 = call.data(1);
  a.c0 = call.data(2);
  a.h_all = call.data(4);
  a.gates = call.data(5);
  a.c_all = has_c ? call.data(6) : nullptr;
  a.dh_all = call.data_if_any(7);
  a.dh_last = call.data(8);
  a.dc_last = has_c ? call.data(9) : nullptr;
  a.dx = Cell::KEPT == Cell::GATES ? call.floats_over(5, 0, {count, sums})
                                   : call.floats(0, {count, sums});
  a.dr = call.floats_if(has_dr, 1, {count, sums});
  a.h_before = call.floats(2, {count, units});
  a.dh0 = call.floats(3, {rows, units});
  a.dc0 = call.floats_if(has_c, 4, {rows, units});
  a.db = call.floats(5, {(has_dr ? 2 : 1) * sums});
  if (call.failed()) return;
  const Batch batch{(int)rows, (int)units, call.data<int32_t>(3), options.backwards};
  backward<Cell>(batch, a, options.threads);
}

// mask (B, T) -> numbers of the steps that count, in (B T), and where each row starts
void run_plan(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t rows = call.size(0, 0), steps = call.size(0, 1);
  const bool* mask = call.data<bool>(0);
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

// source (M, F), numbers (N,) -> (N, F)
void run_gather(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t features = call.size(0, 1), count = call.size(1, 0);
  float* to = call.floats(0, {count, features});
  if (call.failed()) return;
  const float* from = call.data(0);
  const int32_t* numbers = call.data<int32_t>(1);
  for (int64_t i = 0; i < count; i++)
    std::memcpy(to + i * features, from + numbers[i] * features, features * sizeof(float));
}

// packed (N, F), numbers (N,), size M -> (M, F), zero where no number points
void run_scatter(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t features = call.size(0, 1), count = call.size(1, 0);
  const int64_t size = *call.data<int32_t>(2);
  float* to = call.floats(0, {size, features});
  if (call.failed()) return;
  const float* from = call.data(0);
  const int32_t* numbers = call.data<int32_t>(1);
  int64_t next = 0;  // numbers rise
  for (int64_t i = 0; i < count; i++) {
    std::fill(to + next * features, to + numbers[i] * features, 0.0f);
    std::memcpy(to + numbers[i] * features, from + i * features, features * sizeof(float));
    next = numbers[i] + 1;
  }
  std::fill(to + next * features, to + size * features, 0.0f);
}

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

// packed (N, U), mask (B, T), starts -> (B, T, U)
void run_unpack(void* state, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t units = call.size(0, 1);
  const int64_t rows = call.size(1, 0), steps = call.size(1, 1);
  float* to = call.floats(0, {rows, steps, units});
  if (call.failed()) return;
  const float* from = call.data(0);
  walk(*(Options*)state, rows, steps, call.data<bool>(1),
       call.data<int32_t>(2), [&](int64_t b, int64_t p, int64_t at) {
         float* here = to + (b * steps + p) * units;
         if (at < 0)
           std::fill(here, here + units, 0.0f);
         else
           std::memcpy(here, from + at * units, units * sizeof(float));
       });
}

// dy (B, T, U), mask (B, T), starts, numbers (N,) -> (N, U)
void run_unpack_back(void* state, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t units = call.size(0, 2), count = call.size(3, 0);
  const int64_t rows = call.size(1, 0), steps = call.size(1, 1);
  float* to = call.floats(0, {count, units});
  if (call.failed()) return;
  const float* from = call.data(0);
  std::vector<bool> begun(count, false);
  walk(*(Options*)state, rows, steps, call.data<bool>(1),
       call.data<int32_t>(2), [&](int64_t b, int64_t p, int64_t at) {
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

void unknown_shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Compute = void (*)(void*, TF_OpKernelContext*);

void define(const char* name, const std::vector<const char*>& inputs,
            const std::vector<const char*>& outputs,
            const std::vector<const char*>& options, Compute compute) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* each : inputs) TF_OpDefinitionBuilderAddInput(op, each);
  for (const char* each : outputs) TF_OpDefinitionBuilderAddOutput(op, each);
  for (const char* each : options) TF_OpDefinitionBuilderAddAttr(op, each);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, unknown_shape);
  TF_RegisterOpDefinition(op, status);
  TF_RegisterKernelBuilder(
      name, TF_NewKernelBuilder(name, "CPU", read_options, compute, delete_options),
      status);
  TF_DeleteStatus(status);
}

template <class Cell>
void define_cell(const char* forward_name, const char* backward_name) {
  define(forward_name,
         {"inputs: float", "recurrent: float", "bias: float", "h0: float", "c0: float",
          "starts: int32"},
         {"h_all: float", "h_last: float", "c_last: float", "gates: float",
          "c_all: float"},
         {"backwards: bool", "keep: bool", "sequences: bool", "threads: int"},
         run_forward<Cell>);
  define(backward_name,
         {"recurrent: float", "h0: float", "c0: float", "starts: int32", "h_all: float",
          "gates: float", "c_all: float", "dh_all: float", "dh_last: float",
          "dc_last: float"},
         {"dx: float", "dr: float", "h_before: float", "dh0: float", "dc0: float",
          "db: float"},
         {"backwards: bool", "threads: int"}, run_backward<Cell>);
}

// TensorFlow watches its registry while it loads the library.
const bool defined = [] {
  define_cell<Lstm>("KerasSeqLstm", "KerasSeqLstmBack");
  define_cell<Gru>("KerasSeqGru", "KerasSeqGruBack");
  define_cell<Simple>("KerasSeqSimple", "KerasSeqSimpleBack");
  define("KerasSeqPlan", {"mask: bool"}, {"numbers: int32", "starts: int32"}, {},
         run_plan);
  define("KerasSeqGather", {"source: float", "numbers: int32"}, {"packed: float"}, {},
         run_gather);
  define("KerasSeqScatter", {"packed: float", "numbers: int32", "size: int32"},
         {"whole: float"}, {}, run_scatter);
  const std::vector<const char*> order = {"backwards: bool", "flip: bool", "zero: bool"};
  define("KerasSeqUnpack", {"packed: float", "mask: bool", "starts: int32"},
         {"whole: float"}, order, run_unpack);
  define("KerasSeqUnpackBack",
         {"whole: float", "mask: bool", "starts: int32", "numbers: int32"},
         {"packed: float"}, order, run_unpack_back);
  return true;
}();

}  // namespace kseq
