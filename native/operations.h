// What a program is made of. The names, in this order, are the numbers of the program's words; src/tensor/native
// compares its own list with this one when it opens the kernels.
#pragma once

#define ELEMENTWISE(X)                                                                                          \
  X(neg) X(exp) X(log) X(tanh) X(sigmoid) X(softplus) X(relu) X(elu) X(sqrt) X(abs) X(sign) X(reciprocal)       \
  X(add) X(sub) X(mul) X(div) X(min) X(max) X(less) X(greater) X(equal) X(where) X(pow) X(clip)                 \
  X(reluGradient) X(copy) X(multiplyAdd) X(subtractProduct)

#define INSTRUCTIONS(X)                                                                                         \
  X(end) X(barrier) X(pack) X(product) X(localProduct) X(dot) X(combine) X(chain) X(reduction) X(rows)

#define NAME(x) #x " "
#define ELEMENTWISE_NUMBER(x) OP_##x,
#define INSTRUCTION_NUMBER(x) DO_##x,

namespace kernel {
enum ElementwiseCode { ELEMENTWISE(ELEMENTWISE_NUMBER) };
enum InstructionCode { INSTRUCTIONS(INSTRUCTION_NUMBER) };
}
