// What an operation reads and writes in TensorFlow's C interface: its tensors and its
// options. It knows nothing of recurrent cells.

#pragma once

#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace kseq {

// The tensors of one call. TensorFlow holds the inputs until it ends, so a handle is
// let go at once: an input that somebody holds cannot be written over.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context)
      : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    for (TF_Tensor* tensor : outputs_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }
  int64_t size(int index, int axis) {
    return with_input(index, [&](TF_Tensor* tensor) { return TF_Dim(tensor, axis); });
  }
  template <class T = float>
  const T* data(int index) {
    return with_input(index, [](TF_Tensor* tensor) -> const T* {
      return (const T*)TF_TensorData(tensor);
    });
  }
  // As `data`, but null for a tensor that holds nothing.
  const float* data_if_any(int index) {
    const int64_t count = with_input(index, TF_TensorElementCount);
    return count ? data(index) : nullptr;
  }
  template <class T = float>
  T* output(int index, TF_DataType type, const std::vector<int64_t>& shape) {
    size_t size = sizeof(T);
    for (int64_t each : shape) size *= each;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, shape.data(),
                                          shape.size(), size, status_);
    if (!tensor) return nullptr;
    outputs_.push_back(tensor);
    return (T*)TF_TensorData(tensor);
  }
  float* floats(int index, const std::vector<int64_t>& shape) {
    return output<float>(index, TF_FLOAT, shape);
  }
  // As `floats`, in the memory of an input of the same size that nobody else reads.
  float* floats_over(int source, int index, const std::vector<int64_t>& shape) {
    int forwarded;
    TF_Tensor* tensor = TF_ForwardInputOrAllocateOutput(
        context_, &source, 1, index, shape.data(), shape.size(), &forwarded, status_);
    if (!tensor) return nullptr;
    outputs_.push_back(tensor);
    return (float*)TF_TensorData(tensor);
  }
  // An output that is not wanted is empty.
  float* floats_if(bool wanted, int index, std::vector<int64_t> shape) {
    if (!wanted) shape[0] = 0;
    float* memory = floats(index, shape);
    return wanted ? memory : nullptr;
  }
  bool failed() {
    if (TF_GetCode(status_) == TF_OK) return false;
    TF_OpKernelContext_Failure(context_, status_);
    return true;
  }

 private:
  template <class Ask>
  auto with_input(int index, Ask ask) -> decltype(ask((TF_Tensor*)nullptr)) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    auto answer = ask(tensor);
    TF_DeleteTensor(tensor);
    return answer;
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> outputs_;
};

struct Options {
  bool backwards, keep, sequences, flip, zero;
  int threads;
};

inline void* read_options(TF_OpKernelConstruction* context) {
  auto* options = new Options();
  TF_Status* status = TF_NewStatus();
  auto flag = [&](const char* name, bool* to) {
    TF_Bool value = 0;
    TF_OpKernelConstruction_GetAttrBool(context, name, &value, status);
    *to = value;  // stays false for the operations without that option
  };
  flag("backwards", &options->backwards);
  flag("keep", &options->keep);
  flag("sequences", &options->sequences);
  flag("flip", &options->flip);
  flag("zero", &options->zero);
  int32_t threads = 1;
  TF_OpKernelConstruction_GetAttrInt32(context, "threads", &threads, status);
  options->threads = threads;
  TF_DeleteStatus(status);
  return options;
}
inline void delete_options(void* options) { delete (Options*)options; }

}  // namespace kseq
