/** Static graphs of float32 tensors: state a computation once, differentiate it, compile it for an engine. */
export { type Compiled, compile, type FoundEngine, findEngine, requireEngine } from './compile.js';
export type { CompileOptions, Engine, EngineFinding, Program } from './engine.js';
export { type EngineChoice, type EngineName, engineNames } from './engineNames.js';
export { gradients } from './gradients.js';
export { Graph, type Step, Tensor } from './graph.js';
export { type ExportOptions, exportOnnx } from './onnx/export.js';
export * from './operations.js';
export { ParameterLayout, type ParameterSpec, type Parameters } from './parameters.js';
export { type Shape, ShapeError } from './shape.js';
