import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { readBundle, writeBundle } from '../../src/policy/bundle.js';
import type { Manifest } from '../../src/policy/manifest.js';
import { contents } from './example.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  path = join(folder, 'swing');
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifestPath = () => join(path, 'manifest.json');

function edit(change: (manifest: Manifest) => unknown): void {
  const manifest = JSON.parse(readFileSync(manifestPath(), 'utf8'));
  const changed = change(manifest) ?? manifest;
  writeFileSync(manifestPath(), JSON.stringify(changed));
}

describe('a bundle', () => {
  it('comes back as it was written', () => {
    const written = writeBundle(path, contents);
    expect(readdirSync(folder)).toEqual(['swing']);
    expect(readdirSync(path).sort()).toEqual(['card.md', 'manifest.json', 'policy.onnx']);
    const read = readBundle(path);
    expect(read.manifest).toEqual(written.manifest);
    expect(Buffer.from(read.onnx).equals(contents.onnx)).toBe(true);
    expect(read.card).toBe(contents.card);
    expect(read.path).toBe(path);
  });

  it('replaces the one before, card included', () => {
    writeBundle(path, contents);
    writeBundle(path, { ...contents, manifest: { ...contents.manifest, name: 'newer' }, card: undefined });
    expect(readBundle(path).manifest.name).toBe('newer');
    expect(readBundle(path).card).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['swing']);
  });

  it('does not replace a folder that holds anything else', () => {
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.tex'), 'years of work');
    expect(() => writeBundle(path, contents)).toThrow(
      `${path}: holds thesis.tex, which is not part of a policy`,
    );
    expect(readFileSync(join(path, 'thesis.tex'), 'utf8')).toBe('years of work');
  });

  it('with a wrong manifest is not written', () => {
    const wrong = { ...contents, manifest: { ...contents.manifest, policy_hz: -1 } };
    expect(() => writeBundle(path, wrong)).toThrow(/policy_hz/);
    expect(existsSync(path)).toBe(false);
  });

  it('that does not exist is an error that lists where it was looked for', () => {
    expect(() => readBundle(path)).toThrow(UserError);
    expect(() => readBundle(path)).toThrow(manifestPath());
    expect(() => readBundle('no-such-policy')).toThrow(join('policies', 'no-such-policy', 'manifest.json'));
  });

  it('whose network is cut short is refused at every length', () => {
    writeBundle(path, contents);
    for (let length = contents.onnx.length - 1; length >= 0; length -= 37) {
      truncateSync(join(path, 'policy.onnx'), length);
      expect(() => readBundle(path)).toThrow(UserError);
      expect(() => readBundle(path)).toThrow(`policy.onnx: its ${length} bytes have SHA-256 `);
    }
    rmSync(join(path, 'policy.onnx'));
    expect(() => readBundle(path)).toThrow('policy.onnx: cannot be read (ENOENT)');
  });

  it('whose manifest is cut short is refused', () => {
    writeBundle(path, contents);
    truncateSync(manifestPath(), 200);
    expect(() => readBundle(path)).toThrow(UserError);
    expect(() => readBundle(path)).toThrow(`${manifestPath()}: not valid JSON, or cut short`);
  });

  const edits: [string, (m: Manifest) => unknown, RegExp][] = [
    ['of a newer format', (m) => ({ ...m, format: 2 }), /expected 1[\s\S]*at format/],
    ['with an unknown key', (m) => ({ ...m, colour: 'red' }), /"colour"/],
    ['without a rate', (m) => ({ ...m, policy_hz: undefined }), /at policy_hz/],
    [
      'with a file elsewhere',
      (m) => ({ ...m, network: { ...m.network, file: '../x.onnx' } }),
      /at network\.file/,
    ],
    ['with an empty observation', (m) => ({ ...m, observation: [] }), /at observation/],
    [
      'with a joint more than actions',
      (m) => ({ ...m, joints: [...m.joints, 'wrist'] }),
      /one value per joint[\s\S]*action\.scale_rad/,
    ],
    [
      'with fewer centres than scales',
      (m) => ({ ...m, action: { ...m.action, centre_rad: [0] } }),
      /as many values as scale_rad/,
    ],
    [
      'that approaches targets at no pace',
      (m) => ({ ...m, action: { ...m.action, kind: 'approach' } }),
      /expected with kind approach[\s\S]*action\.share/,
    ],
    ['that is a list', () => [], /expected object/],
  ];
  it.each(edits)('%s is refused with file and field', (_, change, message) => {
    writeBundle(path, contents);
    edit(change);
    expect(() => readBundle(path)).toThrow(UserError);
    expect(() => readBundle(path)).toThrow(message);
    expect(() => readBundle(path)).toThrow(manifestPath());
  });

  it('accepts a signature, for the day that one is checked', () => {
    writeBundle(path, contents);
    edit((m) => ({ ...m, signature: { algorithm: 'ed25519', public_key: 'AAAA', value: 'BBBB' } }));
    expect(readBundle(path).manifest.signature?.public_key).toBe('AAAA');
  });
});
