import { Graph, type Op, reachable, type Step, type Tensor } from '../graph.js';

/**
 * What becomes of one operation: a tensor of the new graph, or undefined where it stays as it is.
 * @param inputs its operands in the new graph
 * @param t in the old graph: what operation it is, and its shape
 */
export type Rule = (inputs: readonly Tensor[], t: Tensor, graph: Graph) => Tensor | undefined;

/**
 * A graph with the same inputs, states and steps, every operation that a step needs put through a rule, operands
 * first. What no step needs is not in it.
 */
export function rewrite(graph: Graph, rule: Rule): Graph {
  const next = new Graph();
  const map = new Map<Tensor, Tensor>();
  for (const [id, t] of graph.inputs) map.set(t, next.input(id, t.shape));
  for (const [id, t] of graph.states) map.set(t, next.state(id, t.shape));
  const roots = [...graph.steps.values()].flatMap((s) => [
    ...s.updates.values(),
    ...Object.values(s.outputs),
  ]);
  for (const t of reachable(roots)) {
    if (map.has(t)) continue;
    const inputs = t.inputs.map((i) => map.get(i)!);
    map.set(t, rule(inputs, t, next) ?? next.node(t.op as Op, inputs, t.shape, t.dtype));
  }
  for (const [id, step] of graph.steps) {
    const updates = [...step.updates].map(([state, value]) => [map.get(state)!, map.get(value)!] as const);
    next.step(id, updates, mapped(step, map));
  }
  return next;
}

const mapped = (step: Step, map: ReadonlyMap<Tensor, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(step.outputs).map(([name, t]) => [name, map.get(t)!]));
