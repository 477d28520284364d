/** Networks and optimisers on src/tensor, shared by the learners. */
export { type AdamOptions, type AdamStep, adam } from './adam.js';
export { DropoutMask } from './dropoutMask.js';
export { type LaPropOptions, laprop } from './laprop.js';
export { batchNormLinear, dropout, lambda, layerNorm, linear, sequential } from './layers.js';
export { type MlpOptions, mlp } from './mlp.js';
export { type Activation, activations, type Module, Pass } from './module.js';
