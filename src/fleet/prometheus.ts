import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { UserError } from '../base/errors.js';

type Labels = Readonly<Record<string, string>>;

/**
 * Metrics for Prometheus at http://127.0.0.1:PORT/metrics: reachable from this machine alone, since
 * it asks nobody for a password.
 */
export class MetricsServer {
  private readonly registry = new Registry();
  private readonly gauges = new Map<string, Gauge>();

  private constructor(private readonly server: Server) {}

  /** @param port 0 for any that is free. @throws UserError where it is taken */
  static async open(port: number): Promise<MetricsServer> {
    const server = createServer();
    const metrics = new MetricsServer(server);
    server.on('request', async (request, response) => {
      if (request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      response.setHeader('content-type', metrics.registry.contentType).end(await metrics.registry.metrics());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new UserError(`no metrics on port ${port}: ${error.code}`)),
      );
      server.listen(port, '127.0.0.1', resolve);
    });
    return metrics;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/metrics`;
  }

  /** Sets a gauge for each number of an object: `reverie_PREFIX_KEY`. Units are in the keys. */
  set(prefix: string, values: object, labels: Labels): void {
    for (const [key, value] of Object.entries(values)) {
      const number = typeof value === 'boolean' ? Number(value) : value;
      if (typeof number !== 'number') continue;
      const name = `reverie_${prefix}_${key}`;
      let gauge = this.gauges.get(name);
      if (!gauge) {
        const registers = [this.registry];
        gauge = new Gauge({
          name,
          help: `${key} of a ${prefix}`,
          labelNames: Object.keys(labels),
          registers,
        });
        this.gauges.set(name, gauge);
      }
      gauge.set({ ...labels }, number);
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
