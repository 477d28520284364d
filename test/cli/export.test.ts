import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { encodeModel } from '../../src/onnx/bytes.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import type { Bundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { lastJson, reverie, untrainedBundle } from './support.js';

let folder: string;
let bundle: Bundle;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-export-'));
  bundle = untrainedBundle(join(folder, 'arm'), 'arm', 'reach');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('reverie export', () => {
  it('writes the network and what somebody else needs to use it', async () => {
    const out = join(folder, 'onnx');
    const outcome = await reverie(['export', bundle.path, '--out', out, '--json']);
    expect(outcome.stderr).toBe('');
    expect(outcome.code).toBe(0);
    const { max_difference, files } = lastJson(outcome);
    expect(max_difference).toBeLessThan(2e-6);
    expect(files).toEqual([join(out, 'policy.onnx'), join(out, 'contract.json')]);
    expect(readdirSync(out).sort()).toEqual(['contract.json', 'policy.onnx']);
    expect(new Uint8Array(readFileSync(join(out, 'policy.onnx')))).toEqual(new Uint8Array(bundle.onnx));

    const contract = JSON.parse(readFileSync(join(out, 'contract.json'), 'utf8'));
    expect(contract.rate_hz).toBe(20);
    expect(contract.action.joints.map((j: { name: string }) => j.name)).toEqual(bundle.manifest.joints);
    expect(contract.action.meaning).toMatch(/last executed target_rad \+ scale_rad \* action/);
    const parts: { from: number; to: number }[] = contract.observation.parts;
    parts.forEach((part, i) => {
      expect(part.from).toBe(i === 0 ? 0 : parts[i - 1].to);
    });
    expect(parts.at(-1)!.to).toBe(contract.observation.shape[1]);

    // The names in the contract are those of the network.
    const session = await ort.InferenceSession.create(join(out, 'policy.onnx'));
    expect(session.inputNames).toEqual([contract.observation.input]);
    expect(session.outputNames).toContain(contract.action.output);
    await session.release();
  });

  it('writes a network in JSON that is the same function', async () => {
    const out = join(folder, 'json');
    const { code } = await reverie(['export', bundle.path, '--out', out, '--format', 'json']);
    expect(code).toBe(0);
    const { contract, network } = JSON.parse(readFileSync(join(out, 'policy.json'), 'utf8'));
    const session = await ort.InferenceSession.create(encodeModel(fromJson(network)), {
      intraOpNumThreads: 1,
    });
    const policy = loadPolicy(bundle);
    const observation = new Float32Array(policy.observationSize);
    const action = new Float32Array(policy.actionSize);
    new Random(3).fillNormal(observation);
    policy.act(observation, action);
    const answer = await session.run({
      [contract.observation.input]: new ort.Tensor('float32', observation, [1, observation.length]),
    });
    (answer[contract.action.output].data as Float32Array).forEach((a, i) => {
      expect(a).toBeCloseTo(action[i], 6);
    });
    await session.release();
  });

  it('says that a folder cannot be written, and asks for one that is missing', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const blocked = await reverie(['export', bundle.path, '--out', join(file, 'below')]);
    expect(blocked.code).toBe(2);
    expect(blocked.stderr).toMatch(/--out .*below: cannot be written \(ENOTDIR\)/);
    const missing = await reverie(['export', bundle.path]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/required option '--out <folder>'/);
  });
});

/** As a reader of the JSON would: lists of numbers back into arrays of their type. */
function fromJson(network: OnnxModel): OnnxModel {
  const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const;
  return JSON.parse(JSON.stringify(network), (_key, value) => {
    if (!value || !Array.isArray(value.data)) return value;
    if (value.type === 'int64') return { ...value, data: BigInt64Array.from(value.data, BigInt) };
    return { ...value, data: arrays[value.type as keyof typeof arrays].from(value.data) };
  });
}
