import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { decode, encode } from '../../src/ros/codec.js';
import { openTransport } from '../../src/ros/transport/open.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';
import type { Transport, TransportNode } from '../../src/ros/transport/transport.js';
import { domain, transports } from '../ros/transports.js';
import { until } from '../until.js';

const wired = transports.filter(({ name }) => name !== 'inproc');

/** A robot's own process, met from outside as ROS 2 meets it. */
describe.each(wired)('a run as ROS 2 nodes over $name', ({ name, absent }) => {
  if (absent) {
    it.skip(`absent: ${absent}`, () => {});
    return;
  }

  let folder: string;
  let transport: Transport;
  let peer: TransportNode;
  let run: ChildProcess;
  let said = '';
  const safety: { mode: string; latched: string }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reverie-ros-run-'));
    const launch = join(folder, 'arm.yaml');
    writeFileSync(
      launch,
      `robot: arm
driver: { kind: sim, seed: 1 }
task: reach
policy: arm-reach
dashboard: { enabled: false }
ros: { transport: ${name}, domain: ${domain}, reverie_msgs: false }
realtime: { fifo: false }
runs: ${folder}
`,
    );
    transport = await openTransport(name, { domain });
    peer = transport.node('peer', '/');
    peer.subscribe('/robot_1/safety/state', 'std_msgs/msg/String', qosProfiles.latched, (bytes) =>
      safety.push(JSON.parse(decode('std_msgs/msg/String', bytes).data)),
    );
    const ros = ['--ros-args', '-r', '__ns:=/robot_1', '-p', 'hardware:rate_hz:=50.0'];
    const program = join(packageRoot, 'bin/reverie.js');
    run = spawn(process.execPath, [program, 'run', launch, '--json', ...ros], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    run.stderr!.on('data', (data) => {
      said += data;
    });
  });

  afterAll(async () => {
    run.kill('SIGKILL');
    peer.close();
    await transport.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function call(service: string): Promise<{ success: boolean; message: string }> {
    const client = peer.client(`/robot_1/${service}`, 'std_srvs/srv/Trigger');
    await until(() => client.ready);
    const answer = await client.call(encode('std_srvs/srv/Trigger_Request', {}), 30);
    client.close();
    return decode('std_srvs/srv/Trigger_Response', answer);
  }

  it('publishes under the namespace that ROS 2 gave, and records when it is told to', async () => {
    let joints = 0;
    peer.subscribe('/robot_1/joint_states', 'sensor_msgs/msg/JointState', qosProfiles.default, () => {
      joints++;
    });
    await until(() => joints > 20, 60);
    expect(await call('recorder/success')).toEqual({ success: false, message: 'nothing is being recorded' });
    const { success, message: path } = await call('recorder/start');
    expect(success, path).toBe(true);
    expect((await call('recorder/start')).message).toContain('is being recorded');
    expect(await call('recorder/go_on')).toMatchObject({ message: expect.stringContaining('paused') });
    expect((await call('recorder/go_on')).message).not.toContain('paused');
    const from = joints;
    await until(() => joints > from + 50);
    expect(await call('recorder/stop')).toMatchObject({
      success: true,
      message: expect.stringMatching(/recording-0\.mcap: [1-9]\d* messages/),
    });
    expect(existsSync(path)).toBe(true);
  });

  it('names the policy that the run began with as a parameter', async () => {
    const type = 'rcl_interfaces/srv/GetParameters';
    const client = peer.client('/robot_1/policy/get_parameters', type);
    await until(() => client.ready);
    const answer = await client.call(encode(`${type}_Request`, { names: ['policy'] }), 30);
    client.close();
    expect(decode(`${type}_Response`, answer)).toMatchObject({ values: [{ string_value: 'arm-reach' }] });
  });

  it('brings the robot to its stop pose on SIGINT, and says so to the end, before its nodes go', async () => {
    await until(() => ['run', 'hold'].includes(safety.at(-1)!.mode));
    const before = safety.length;
    run.kill('SIGINT');
    const [code] = await once(run, 'exit');
    expect(code, said).toBe(0);
    await until(() => ['stopped', 'damp'].includes(safety.at(-1)!.mode));
    expect(said).toContain('stopped: to the stop pose');
    // Had its nodes gone first, nobody would have said so.
    const modes = safety.slice(before).map(({ mode }) => mode);
    expect(modes).not.toContain('run');
    expect(safety.every(({ latched }) => latched === '')).toBe(true);
  });
});
