import { expect, it } from 'vitest';
import { MetricsServer } from '../../src/fleet/prometheus.js';
import { opened } from './support.js';

it('numbers are gauges with their labels, and nothing else is', async () => {
  const server = opened(await MetricsServer.open(0));
  const labels = { site: 'lab', robot: 'arm-1' };
  server.set('robot', { falls: 2, online: true, mode: 'active', latched: null }, labels);
  server.set('robot', { falls: 0 }, { site: 'lab', robot: 'arm-2' });
  server.set('robot', { falls: 3 }, labels);
  const answer = await fetch(server.url);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.sort()).toEqual([
    'reverie_robot_falls{site="lab",robot="arm-1"} 3',
    'reverie_robot_falls{site="lab",robot="arm-2"} 0',
    'reverie_robot_online{site="lab",robot="arm-1"} 1',
  ]);
});

it('listens on this machine alone, answers nothing else, and says when its port is taken', async () => {
  const server = opened(await MetricsServer.open(0));
  const { hostname, port } = new URL(server.url);
  expect(hostname).toBe('127.0.0.1');
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  await expect(MetricsServer.open(Number(port))).rejects.toThrow(`no metrics on port ${port}: EADDRINUSE`);
});
