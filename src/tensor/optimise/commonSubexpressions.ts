import type { Rule } from './rewrite.js';

const commutative = new Set(['add', 'mul', 'equal']);

/**
 * One tensor for what is computed twice. A graph already gives the same tensor for the same operation on the same
 * operands; here a + b and b + a become one, and what the other passes made alike.
 */
export const commonSubexpressions: Rule = (inputs, { op, shape, dtype }, graph) => {
  if (!commutative.has(op.name)) return undefined;
  return graph.node(
    op,
    [...inputs].sort((a, b) => a.id - b.id),
    shape,
    dtype,
  );
};
