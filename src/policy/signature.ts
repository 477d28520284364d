import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder } from '../base/configFolder.js';
import { UserError } from '../base/errors.js';
import type { Manifest } from './manifest.js';

/**
 * Who made a policy: Ed25519 (RFC 8032). A learner holds a private key, each robot the public keys
 * that it trusts. The signature over a manifest covers the network, whose SHA-256 the manifest has.
 */
const FILES = { private: 'signing.key', public: 'signing.pub' } as const;

export interface KeyFiles {
  readonly private: string;
  readonly public: string;
}

/** Where this user's own learners and robots find their keys, unless told of others. */
export const ownKeys = (): string => join(configFolder(), 'keys');

/**
 * Makes a pair of keys in a folder: PKCS 8 and SPKI as PEM; the private one for its owner's eyes alone.
 * @throws UserError where there is one already, or the folder cannot be written
 */
export function makeKeys(folder: string): KeyFiles {
  const files = filesIn(folder);
  for (const path of Object.values(files))
    if (existsSync(path)) throw new UserError(`${path}: there is a key already; it is not replaced`);
  return keysIn(folder);
}

/**
 * The keys of a folder, made where there are none; by one process, where several want to at once.
 * @throws UserError where the folder cannot be written, or holds another kind of key
 */
export function keysIn(folder: string): KeyFiles {
  const files = filesIn(folder);
  if (existsSync(files.private) && existsSync(files.public)) return files;
  if (existsSync(files.public))
    throw new UserError(
      `${files.public}: ${FILES.private} is missing beside it; --signing-key names another`,
    );
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ed25519');
    writeOnce(files.private, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      `${folder}: keys to sign policies with cannot be made (${code}); REVERIE_CONFIG names another folder`,
    );
  }
  // Of the key that is there now, which another process may have made.
  const publicKey = createPublicKey(readSigningKey(files.private));
  writeOnce(files.public, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  return files;
}

function filesIn(folder: string): KeyFiles {
  return { private: join(folder, FILES.private), public: join(folder, FILES.public) };
}

/** Whole or not at all; leaves what another process was quicker to write. */
function writeOnce(path: string, text: string | Buffer, mode: number): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
}

/** @throws UserError where the file is no Ed25519 private key */
export function readSigningKey(path: string): KeyObject {
  return readKey(path, 'private', createPrivateKey);
}

/** @throws UserError where the file is no Ed25519 public key */
export function readTrustedKey(path: string): KeyObject {
  return readKey(path, 'public', createPublicKey);
}

function readKey(path: string, kind: string, parse: (pem: Buffer) => KeyObject): KeyObject {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const key = parse(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {}
  throw new UserError(`${path}: expected an Ed25519 ${kind} key as PEM, as "reverie fleet keys" makes one`);
}

export interface Signature {
  /** SHA-256 of the public key in DER: which one to try. */
  readonly key: string;
  /** Base64. */
  readonly value: string;
}

export function signText(text: string, key: KeyObject): Signature {
  const value = sign(null, Buffer.from(text), key).toString('base64');
  return { key: fingerprint(createPublicKey(key)), value };
}

/** @returns what is wrong, or undefined */
export function signatureFault(
  text: string,
  { key, value }: Signature,
  trusted: readonly KeyObject[],
): string | undefined {
  const signer = trusted.find((k) => fingerprint(k) === key);
  if (!signer) return 'signed with a key that is not trusted here';
  return verify(null, Buffer.from(text), signer, Buffer.from(value, 'base64'))
    ? undefined
    : 'its signature does not match';
}

/** A manifest with its signature. */
export function signManifest(manifest: Manifest, key: KeyObject): Manifest {
  const { value } = signText(signedText(manifest), key);
  const public_key = spki(createPublicKey(key)).toString('base64');
  return { ...manifest, signature: { algorithm: 'ed25519', public_key, value } };
}

/** @returns what is wrong, or undefined */
export function manifestFault(manifest: Manifest, trusted: readonly KeyObject[]): string | undefined {
  if (!manifest.signature) return 'it is not signed';
  const { public_key, value } = manifest.signature;
  const key = createHash('sha256').update(Buffer.from(public_key, 'base64')).digest('hex');
  return signatureFault(signedText(manifest), { key, value }, trusted);
}

/** The manifest without its signature, in the one way in which it can be written: keys sorted. */
function signedText(manifest: Manifest): string {
  const { signature: _, ...rest } = manifest;
  return JSON.stringify(rest, (_key, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function fingerprint(key: KeyObject): string {
  return createHash('sha256').update(spki(key)).digest('hex');
}
