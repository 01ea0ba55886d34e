// What an operation reads and writes in TensorFlow's C interface: its tensors and its
// options. It knows nothing of recurrent cells.

#pragma once

#include <string>
#include <vector>

#include "shapes.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace kseq {

// The tensors of one call. TensorFlow holds the inputs until it ends, so their handles
// are let go at once: an input that somebody holds cannot be written over.
class Call {
 public:
  // Fails where the shapes of the inputs do not fit their patterns.
  template <size_t COUNT>
  Call(TF_OpKernelContext* context, const Input (&inputs)[COUNT], int gates, int kept)
      : context_(context), status_(TF_NewStatus()), sizes_(gates, kept), inputs_(inputs) {
    given_.reserve(COUNT);
    for (int i = 0; i < (int)COUNT && !failed(); i++) given_.push_back(read(i));
    for (int i = 0; i < (int)COUNT && !failed(); i++)
      if (!sizes_.fit(given_[i].shape, inputs[i].pattern))
        require(false, name(i) + " is not " + sizes_.wanted(inputs[i].pattern));
  }
  ~Call() {
    for (TF_Tensor* tensor : outputs_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }
  // By its letter in the patterns.
  int64_t size(char letter) const { return sizes_[letter]; }

  template <class T = float>
  const T* data(int index) const {
    return (const T*)given_[index].data;
  }
  template <class T = float>
  T* output(int index, TF_DataType type, const std::vector<int64_t>& shape) {
    int64_t size = sizeof(T);
    bool fits = true;
    for (int64_t each : shape) fits &= !__builtin_mul_overflow(size, each, &size);
    require(fits, "the answer is too large");
    if (failed()) return nullptr;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, shape.data(),
                                          shape.size(), size, status_);
    return (T*)kept(tensor);
  }
  float* floats(int index, const std::vector<int64_t>& shape) {
    return output<float>(index, TF_FLOAT, shape);
  }
  // As `floats`, in the memory of an input of that very shape that nobody else reads.
  float* floats_over(int source, int index, const std::vector<int64_t>& shape) {
    if (failed()) return nullptr;
    int forwarded;
    return (float*)kept(TF_ForwardInputOrAllocateOutput(
        context_, &source, 1, index, shape.data(), shape.size(), &forwarded, status_));
  }
  // An output that is not wanted is empty.
  float* floats_if(bool wanted, int index, std::vector<int64_t> shape) {
    if (!wanted) shape[0] = 0;
    float* memory = floats(index, shape);
    return wanted ? memory : nullptr;
  }
  // Otherwise InvalidArgument, with the shapes of all inputs. The first reason stays.
  void require(bool fits, const std::string& reason) {
    if (fits || failed()) return;
    std::string text = reason + "; given";
    for (int i = 0; i < (int)given_.size(); i++)
      text += (i ? ", " : " ") + name(i) + " " + given_[i].shape.text();
    TF_SetStatus(status_, TF_INVALID_ARGUMENT, text.c_str());
  }
  bool failed() const { return TF_GetCode(status_) != TF_OK; }
  // TensorFlow hears of a failure; to be called once, at the end.
  void finish(bool out_of_memory) {
    if (out_of_memory) TF_SetStatus(status_, TF_RESOURCE_EXHAUSTED, "out of memory");
    if (failed()) TF_OpKernelContext_Failure(context_, status_);
  }

 private:
  struct Given {
    Shape shape;
    const void* data;
  };

  Given read(int index) {
    Given given{};
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    if (!tensor) return given;  // the status has the reason
    given.data = TF_TensorData(tensor);
    given.shape.rank = TF_NumDims(tensor);
    for (int i = 0; i < given.shape.rank && i < Shape::MOST; i++)
      given.shape.sizes[i] = TF_Dim(tensor, i);
    TF_DeleteTensor(tensor);
    return given;
  }
  std::string name(int index) const {
    const std::string spec = inputs_[index].name;
    return spec.substr(0, spec.find(':'));
  }
  void* kept(TF_Tensor* tensor) {
    if (!tensor) return nullptr;
    outputs_.push_back(tensor);
    return TF_TensorData(tensor);
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  Sizes sizes_;
  const Input* inputs_;
  std::vector<Given> given_;
  std::vector<TF_Tensor*> outputs_;
};

struct Options {
  bool backwards, keep, sequences, flip, zero;
  int threads, units;
};

inline void* read_options(TF_OpKernelConstruction* context) {
  auto* options = new Options();
  TF_Status* status = TF_NewStatus();
  auto flag = [&](const char* name, bool* to) {
    TF_Bool value = 0;
    TF_OpKernelConstruction_GetAttrBool(context, name, &value, status);
    *to = value;  // stays false for the operations without that option
  };
  auto number = [&](const char* name, int* to) {
    int32_t value = 1;
    TF_OpKernelConstruction_GetAttrInt32(context, name, &value, status);
    *to = value;
  };
  flag("backwards", &options->backwards);
  flag("keep", &options->keep);
  flag("sequences", &options->sequences);
  flag("flip", &options->flip);
  flag("zero", &options->zero);
  number("threads", &options->threads);
  number("units", &options->units);
  TF_DeleteStatus(status);
  return options;
}
inline void delete_options(void* options) { delete (Options*)options; }

}  // namespace kseq
