import { UserError } from '../base/errors.js';
import { formatShape, type Shape, sizeOf } from '../tensor/shape.js';

/** A tensor of a checkpoint. @throws UserError where it is missing or not of the shape that the learner has */
export function checkedTensor(tensors: Record<string, Float32Array>, id: string, shape: Shape): Float32Array {
  const values = tensors[id];
  if (!values)
    throw new UserError(`the checkpoint has no tensor "${id}": it is of another learner or preset`);
  if (values.length !== sizeOf(shape)) {
    throw new UserError(
      `the checkpoint's tensor "${id}" has shape ${formatShape([values.length])}, the learner's ${formatShape(shape)}: ` +
        'they differ in observation, action or network sizes',
    );
  }
  return values;
}
