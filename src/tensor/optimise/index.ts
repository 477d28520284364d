import type { Graph } from '../graph.js';
import { centredSums } from './centredSums.js';
import { commonSubexpressions } from './commonSubexpressions.js';
import { constantFolding } from './constantFolding.js';
import { deadCode } from './deadCode.js';
import { products } from './products.js';
import { type Rule, rewrite } from './rewrite.js';

/** In the order in which they run. */
const passes = { constantFolding, deadCode, products, centredSums, commonSubexpressions } satisfies Record<
  string,
  Rule
>;

export type PassName = keyof typeof passes;
export const passNames = Object.keys(passes) as PassName[];

/**
 * The same computation with less work. Results move by rounding at most.
 * @param off passes to leave out
 */
export function optimise(graph: Graph, off: readonly PassName[] = []): Graph {
  return passNames.filter((name) => !off.includes(name)).reduce((g, name) => rewrite(g, passes[name]), graph);
}
