/**
 * A multilayer perceptron with ReLU, its gradients and Adam, written by hand in double precision for one sample at
 * a time: shares nothing with src/tensor, which it checks.
 */
export class Network64 {
  private readonly m: Float64Array;
  private readonly v: Float64Array;
  private steps = 0;

  /** @param p weights [inputs, outputs] and biases, layer by layer */
  constructor(
    private readonly sizes: readonly number[],
    readonly p: Float64Array,
  ) {
    this.m = new Float64Array(p.length);
    this.v = new Float64Array(p.length);
  }

  /** What every layer gives, the input first. */
  forward(input: readonly number[]): number[][] {
    const values = [[...input]];
    this.eachLayer((layer, inputs, outputs, w, b, last) => {
      values.push(
        Array.from({ length: outputs }, (_, j) => {
          let sum = this.p[b + j];
          for (let i = 0; i < inputs; i++) sum += values[layer][i] * this.p[w + i * outputs + j];
          return last ? sum : Math.max(sum, 0);
        }),
      );
    });
    return values;
  }

  /** Adds the parameters' gradient to `into` and returns the input's, given that of the output. */
  backward(values: number[][], outputGradient: readonly number[], into: Float64Array): number[] {
    const layers: (() => void)[] = [];
    let g = [...outputGradient];
    this.eachLayer((layer, inputs, outputs, w, b) => {
      layers.push(() => {
        const below = new Array<number>(inputs).fill(0);
        for (let j = 0; j < outputs; j++) {
          into[b + j] += g[j];
          for (let i = 0; i < inputs; i++) {
            into[w + i * outputs + j] += g[j] * values[layer][i];
            below[i] += g[j] * this.p[w + i * outputs + j];
          }
        }
        g = below.map((x, i) => (layer > 0 && values[layer][i] === 0 ? 0 : x));
      });
    });
    for (const layer of layers.reverse()) layer();
    return g;
  }

  adam(gradient: Float64Array, learningRate: number): void {
    this.steps++;
    for (let i = 0; i < this.p.length; i++) {
      this.m[i] = 0.9 * this.m[i] + 0.1 * gradient[i];
      this.v[i] = 0.999 * this.v[i] + 0.001 * gradient[i] ** 2;
      const mHat = this.m[i] / (1 - 0.9 ** this.steps);
      const vHat = this.v[i] / (1 - 0.999 ** this.steps);
      this.p[i] -= (learningRate * mHat) / (Math.sqrt(vHat) + 1e-8);
    }
  }

  private eachLayer(
    visit: (layer: number, inputs: number, outputs: number, w: number, b: number, last: boolean) => void,
  ): void {
    let at = 0;
    for (let k = 0; k + 1 < this.sizes.length; k++) {
      const [inputs, outputs] = [this.sizes[k], this.sizes[k + 1]];
      visit(k, inputs, outputs, at, at + inputs * outputs, k === this.sizes.length - 2);
      at += (inputs + 1) * outputs;
    }
  }
}
