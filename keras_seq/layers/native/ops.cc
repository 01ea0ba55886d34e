// TensorFlow operations around sequence.h, registered through TensorFlow's C interface:
// it needs none of the C++ headers, so this file compiles in seconds.
//
// Each operation has a pattern for the shape of every input (shapes.h); they are
// compared while a graph is built, and again at every call, before anything is read.

#include <cstring>
#include <new>
#include <string>

#include "cell_ops.h"
#include "pack_ops.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"

namespace kseq {

template <class Op>
void compute(void* options, TF_OpKernelContext* context) {
  Call call(context, Op::inputs, Op::GATES, Op::KEPT);
  bool out_of_memory = false;
  try {
    if (!call.failed()) Op::run(call, *(Options*)options);
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
  }
  call.finish(out_of_memory);
}

// Compares what is known of the shapes; what they lead to is set in Python.
template <class Op>
void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  Sizes sizes(Op::GATES, Op::KEPT);
  TF_ShapeHandle* handle = TF_NewShapeHandle();
  TF_DimensionHandle* dimension = TF_NewDimensionHandle();
  std::string given, reason;
  int index = 0;
  for (const Input& input : Op::inputs) {
    TF_ShapeInferenceContextGetInput(context, index++, handle, status);
    if (TF_GetCode(status) != TF_OK) break;
    Shape shape;
    if (TF_ShapeInferenceContextRankKnown(context, handle))
      shape.rank = TF_ShapeInferenceContextRank(context, handle);
    for (int i = 0; i < shape.rank && i < Shape::MOST; i++) {
      TF_ShapeInferenceContextDim(context, handle, i, dimension);
      if (TF_DimensionHandleValueKnown(dimension))
        shape.sizes[i] = TF_DimensionHandleValue(dimension);
    }
    const std::string name(input.name, std::strchr(input.name, ':'));
    given += (given.empty() ? " " : ", ") + name + " " + shape.text();
    if (reason.empty() && !sizes.fit(shape, input.pattern))
      reason = name + " is not " + sizes.wanted(input.pattern);
  }
  TF_DeleteDimensionHandle(dimension);
  TF_DeleteShapeHandle(handle);
  if (TF_GetCode(status) != TF_OK) return;
  if (!reason.empty())
    TF_SetStatus(status, TF_INVALID_ARGUMENT, (reason + "; given" + given).c_str());
  else
    TF_ShapeInferenceContextSetUnknownShape(context, status);
}

template <class Op>
void define(const char* name) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const Input& each : Op::inputs) TF_OpDefinitionBuilderAddInput(op, each.name);
  for (const char* each : Op::outputs()) TF_OpDefinitionBuilderAddOutput(op, each);
  for (const char* each : Op::options()) TF_OpDefinitionBuilderAddAttr(op, each);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, infer<Op>);
  TF_RegisterOpDefinition(op, status);
  TF_RegisterKernelBuilder(
      name, TF_NewKernelBuilder(name, "CPU", read_options, compute<Op>, delete_options),
      status);
  TF_DeleteStatus(status);
}

// TensorFlow watches its registry while it loads the library.
const bool defined = [] {
  define<ForwardOp<Lstm>>("KerasSeqLstm");
  define<BackwardOp<Lstm>>("KerasSeqLstmBack");
  define<ForwardOp<Gru>>("KerasSeqGru");
  define<BackwardOp<Gru>>("KerasSeqGruBack");
  define<ForwardOp<Simple>>("KerasSeqSimple");
  define<BackwardOp<Simple>>("KerasSeqSimpleBack");
  define<FitOp>("KerasSeqFit");
  define<StartsOp>("KerasSeqStarts");
  define<PlanOp>("KerasSeqPlan");
  define<GatherOp>("KerasSeqGather");
  define<ScatterOp>("KerasSeqScatter");
  define<UnpackOp>("KerasSeqUnpack");
  define<UnpackBackOp>("KerasSeqUnpackBack");
  return true;
}();

}  // namespace kseq
